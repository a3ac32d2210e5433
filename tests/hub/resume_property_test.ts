import fc from "fast-check";
import type { TransportEnd } from "../../src/hub/disconnects.ts";
import { isErrorType } from "../../src/protocol/channel.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { HubBench, type TestClient, text } from "../support/hub_bench.ts";

type Frame = TestClient["transport"]["frames"][number];

/** Which number a client names when it comes back. */
type Habit =
  /** The frame it saw last. */
  | "last"
  /** The highest it ever saw: careless, as frames do not come in order. */
  | "highest";

/** Whether a frame is of the kind that is never replaced by a newer one. */
function isKept({ type, seq }: Frame): boolean {
  return seq !== undefined && (type === "notification" || isErrorType(type));
}

function seqsOf(frames: readonly Frame[]): number[] {
  return frames.filter(isKept).map(({ seq }) => seq ?? 0).sort((a, b) => a - b);
}

/** A client that goes and comes back; of what was sent to it, only so much ever reaches it. */
class Wanderer {
  /** What reached it, over all its connections. */
  readonly seen: Frame[] = [];
  readonly gaps: boolean[] = [];
  readonly #bench: HubBench;
  readonly #habit: Habit;
  readonly #batch: boolean;
  #client: TestClient;
  #read = 0;
  #session = "";
  #since = 0;

  constructor(bench: HubBench, options: { habit: Habit; batch: boolean }) {
    this.#bench = bench;
    this.#habit = options.habit;
    this.#batch = options.batch;
    this.#client = bench.connect({ batch: this.#batch });
    this.#take(1);
  }

  get transport() {
    return this.#client.transport;
  }

  /** Loses its connection; of what is under way, `share` reaches it. Then it comes back. */
  comeBack(share: number, end: TransportEnd): void {
    const { sent } = this.transport;
    this.#take(Math.floor((sent.length - this.#read) * share));
    const before = this.#client;
    this.#bench.hub.disconnected(before.session, end);
    const { epoch } = this.#bench.hub;
    const resume = { session: this.#session, epoch, since: this.#since };
    this.#client = this.#bench.connect({ batch: this.#batch, resume });
    this.#read = 0;
    this.#take(1); // the welcome: without it there is no new session to speak of
  }

  /** Sees whatever was sent to it. */
  takeAll(): void {
    this.#take(this.transport.sent.length - this.#read);
  }

  #take(count: number): void {
    const texts = this.transport.sent.slice(this.#read, this.#read + count);
    this.#read += texts.length;
    for (const each of texts) {
      const value = JSON.parse(each);
      for (const frame of Array.isArray(value) ? value : [value]) this.#see(frame);
    }
  }

  #see(frame: Frame): void {
    this.seen.push(frame);
    if (frame.type === "welcome") {
      this.#session = String(frame.data.session);
      this.gaps.push(frame.data.gap === true);
      if (frame.data.recovered !== true) this.#since = Number(frame.data.seq);
    }
    if (frame.seq === undefined) return;
    this.#since = this.#habit === "last" ? frame.seq : Math.max(this.#since, frame.seq);
  }
}

type Step =
  | { readonly do: "broadcast"; readonly type: string }
  | { readonly do: "stall" }
  | { readonly do: "take"; readonly bytes: number }
  | { readonly do: "flow" }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "comeBack"; readonly share: number; readonly clean: boolean };

const broadcast: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("broadcast" as const),
  type: fc.constantFrom("notification", "notification", "rpc_error", "error", "a", "heartbeat"),
});

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: broadcast },
    { weight: 2, arbitrary: fc.constant<Step>({ do: "stall" }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("take" as const), bytes: fc.nat({ max: 400 }) }),
    },
    { weight: 1, arbitrary: fc.constant<Step>({ do: "flow" }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat({ max: 70 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("comeBack" as const),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
        clean: fc.boolean(),
      }),
    },
  ),
  { maxLength: 80 },
);

/** Plays the steps; what the client saw, and what a client saw that was never in trouble. */
async function play(plan: readonly Step[], habit: Habit, batch: boolean) {
  await using bench = new HubBench({ highWaterBytes: 300, outboxMessages: 3 });
  const witness = bench.connect();
  const wanderer = new Wanderer(bench, { habit, batch });
  let n = 0;
  for (const step of plan) {
    const { transport } = wanderer;
    switch (step.do) {
      case "broadcast":
        bench.hub.broadcast(step.type, text({ n: n++ }));
        break;
      case "stall":
        transport.isStalled = true;
        break;
      case "take":
        transport.take(step.bytes);
        break;
      case "flow":
        transport.isStalled = false;
        transport.take();
        break;
      case "wait":
        await bench.clock.advance(step.ms);
        break;
      case "comeBack":
        wanderer.comeBack(step.share, { clean: step.clean, code: step.clean ? 1000 : 0 });
    }
  }
  for (let look = 0; look < 100; look++) {
    if (wanderer.transport.closed) wanderer.comeBack(1, { clean: true, code: 1013 });
    wanderer.transport.isStalled = false;
    wanderer.transport.take();
    await bench.clock.advance(50);
  }
  wanderer.takeAll();
  return { wanderer, broadcast: seqsOf(witness.transport.frames) };
}

Deno.test("a client that resumes gets every event and error once, whatever happened in between", async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (plan, batch) => {
      const { wanderer, broadcast } = await play(plan, "last", batch);
      assert(!wanderer.gaps.includes(true), "all of it was still there");
      assertEquals(seqsOf(wanderer.seen), broadcast);
    }),
    { numRuns: 150 },
  );
});

Deno.test("a client that names the highest number it saw may get some twice, but misses nothing", async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (plan, batch) => {
      const { wanderer, broadcast } = await play(plan, "highest", batch);
      assert(!wanderer.gaps.includes(true), "all of it was still there");
      assertEquals([...new Set(seqsOf(wanderer.seen))], broadcast);
    }),
    { numRuns: 100 },
  );
});
