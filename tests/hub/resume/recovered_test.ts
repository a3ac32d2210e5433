import fc from "fast-check";
import type { Resume } from "../../../src/hub/resume/resume.ts";
import { isErrorType } from "../../../src/protocol/channel.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { HubBench, type TestClient, text } from "../../support/hub_bench.ts";

type Frame = TestClient["transport"]["frames"][number];

/** Which number a client names when it comes back. */
const HABITS = [
  /** The frame it saw last; the one it named before, if none came since. */
  "last",
  /** The same, but the welcome's if none came since. */
  "last_or_welcome",
  /** The highest it ever saw. */
  "highest",
] as const;
type Habit = typeof HABITS[number];

/** How far a client has got, in its own account. */
class Account {
  /** Numbers (`data.n`) of the events and errors that reached it, in order. */
  readonly got: { readonly n: number; readonly type: string }[] = [];
  /** Welcomes that reached it. */
  readonly welcomes: Frame["data"][] = [];
  readonly #habit: Habit;
  #session = "";
  #epoch = "";
  #since = 0;

  constructor(habit: Habit) {
    this.#habit = habit;
  }

  get resume(): Resume {
    return { session: this.#session, epoch: this.#epoch, since: this.#since };
  }

  see(message: string): void {
    const value = JSON.parse(message);
    for (const frame of Array.isArray(value) ? value : [value]) this.#see(frame);
  }

  #see({ type, seq, data }: Frame): void {
    if (type === "welcome") {
      const isNew = this.#epoch !== data.epoch || data.recovered !== true;
      this.#session = String(data.session);
      this.#epoch = String(data.epoch);
      if (isNew || this.#habit === "last_or_welcome") this.#since = Number(data.seq);
      this.welcomes.push(data);
    }
    if (seq !== undefined) {
      this.#since = this.#habit === "highest" ? Math.max(this.#since, seq) : seq;
    }
    if (type === "notification" || isErrorType(type)) this.got.push({ n: Number(data.n), type });
  }
}

function notice(n: number): [type: string, data: ReturnType<typeof text>] {
  return ["notification", text({ n })];
}

/** Errors overtake events here; events and errors, and the client takes one at a time. */
function slowStory(bench: HubBench, goesOn: boolean): TestClient {
  const client = bench.connect({ channels: ["notification", "rpc_error", "heartbeat", "a"] });
  const { transport } = client;
  bench.hub.broadcast(...notice(1));
  transport.isStalled = true;
  transport.bufferedBytes = 1_000_000;
  bench.hub.broadcast("a", text({ n: 0 }));
  bench.hub.broadcast(...notice(3));
  bench.hub.broadcast("heartbeat", text({}));
  bench.hub.broadcast(...notice(5));
  bench.hub.broadcast("rpc_error", text({ n: 6 }));
  bench.hub.broadcast(...notice(7));
  takeOneByOne(bench, client);
  if (goesOn) bench.hub.broadcast("rpc_error", text({ n: 8 }));
  return client;
}

function takeOneByOne(bench: HubBench, { transport, session }: TestClient): void {
  for (let time = 0; time < 12; time++) {
    transport.bufferedBytes = 0;
    session.flush(bench.clock.now());
  }
  transport.isStalled = false;
}

for (const goesOn of [true, false]) {
  Deno.test(`C52: from every position, resumed twice, each event and error comes once (${goesOn})`, async () => {
    const all = [1, 3, 5, 6, 7, ...(goesOn ? [8] : [])];
    // Who names the highest number is careless where frames did not come in order.
    for (const habit of ["last", "last_or_welcome"] as const) {
      for (let first = 1, isOver = false; !isOver; first++) {
        for (let second = 1, isOverAgain = false; !isOverAgain; second++) {
          await using bench = new HubBench({ outboxMessages: 20, highWaterBytes: 1 });
          const account = new Account(habit);
          const channels = ["notification", "rpc_error", "heartbeat", "a"];
          let client = slowStory(bench, goesOn);
          for (const [nth, upTo] of [first, second].entries()) {
            const { sent } = client.transport;
            if (nth === 0) isOver = upTo >= sent.length;
            else isOverAgain = upTo >= sent.length;
            for (const message of sent.slice(0, upTo)) account.see(message);
            bench.hub.disconnected(client.session, { clean: true, code: 1000 });
            client = bench.connect({ channels, resume: account.resume });
            takeOneByOne(bench, client);
          }
          for (const message of client.transport.sent) account.see(message);
          const why = `${habit}, ${first} then ${second}: ${account.got.map(({ n }) => n)}`;
          assertEquals(account.welcomes.map(({ gap }) => gap), [false, false, false], why);
          assertEquals(account.got.map(({ n }) => n).sort((a, b) => a - b), all, why);
        }
      }
    }
  });
}

Deno.test("C44: a number that another hub is asked about hides no event, whatever overtook it", async () => {
  for (const batch of [false, true]) {
    await using journey = new Journey("last", batch);
    const stall = { do: "stall" } as const;
    const elsewhere = { do: "comeBack", clean: false, elsewhere: true, isTold: false } as const;
    const say = (type: string) => ({ do: "say", type }) as const;
    const story: Step[] = [stall, ...Array(8).fill(say("notification")), say("rpc_error")];
    // Room for the error, but not for the events that it overtook.
    const room: Step[] = [{ do: "take", bytes: 1000 }, { do: "wait", ms: 60 }];
    for (const each of [...story, ...room]) await journey.play(each);
    await journey.play({ ...elsewhere, share: 1 });
    await journey.end();
    assertEquals(journey.account.welcomes.map(({ recovered }) => recovered), [false, true]);
    assertEquals(new Set(journey.account.got.map(({ n }) => n)).size, 9, `batch: ${batch}`);
  }
});

Deno.test("C14: after a renumbering, an error that overtakes an event is not in turn", async () => {
  await using bench = new HubBench({ outboxMessages: 20, highWaterBytes: 1 });
  const channels = ["notification", "rpc_error"];
  const client = bench.connectStalled({ channels });
  bench.hub.broadcast(...notice(1));
  bench.hub.stream.follow({ epoch: "next", seq: 0 }, { startsAfter: 0, hasGap: false });
  bench.hub.stream.leave();
  bench.hub.broadcast(...notice(2));
  bench.hub.broadcast("rpc_error", text({ n: 3 }));
  const { transport, session } = client;
  const account = new Account("last");
  for (let time = 0; !account.got.some(({ n }) => n === 3); time++) {
    transport.sent.length = 0;
    transport.bufferedBytes = 0;
    session.flush(bench.clock.now());
    for (const message of transport.sent) account.see(message);
  }
  assertEquals(account.got, [{ n: 3, type: "rpc_error" }], "which is all it ever sees here");
  bench.hub.disconnected(session, { clean: true, code: 1000 });
  const back = bench.connect({ channels, resume: account.resume });
  for (const message of back.transport.sent) account.see(message);
  assertEquals(account.welcomes.at(-1)?.recovered, true);
  assertEquals(account.got.map(({ n }) => n), [3, 2]);
});

type Step =
  | { readonly do: "say"; readonly type: string }
  | { readonly do: "stall" | "flow" | "renumber" | "leave" }
  | { readonly do: "take"; readonly bytes: number }
  | { readonly do: "wait"; readonly ms: number }
  | {
    readonly do: "comeBack";
    readonly share: number;
    readonly clean: boolean;
    /** To the other hub, which may not have been told. */
    readonly elsewhere: boolean;
    readonly isTold: boolean;
  };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("say" as const),
      type: fc.constantFrom("notification", "notification", "rpc_error", "error", "a"),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("stall" as const, "flow" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("renumber" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("take" as const), bytes: fc.nat({ max: 1000 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat({ max: 70 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("comeBack" as const),
      share: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
      clean: fc.boolean(),
      elsewhere: fc.boolean(),
      isTold: fc.boolean(),
    }),
  },
);

/** There is room for one frame at a time, so that a client may be lost between any two. */
const HIGH_WATER_BYTES = 250;
const PADDING = "x".repeat(HIGH_WATER_BYTES);

/** Two hubs of one stream and a client that goes from one to the other. */
class Journey implements AsyncDisposable {
  readonly account: Account;
  /** What was said, with the hub's numbers in it. */
  readonly said: { readonly n: number; readonly type: string }[] = [];
  /** How much had been said when each welcome was made that reached the client. */
  readonly saidBefore: number[] = [];
  readonly #clock = new FakeClock();
  readonly #hubs: readonly HubBench[];
  readonly #batch: boolean;
  #epoch = 0;
  #seq = 0;
  #at = 0;
  #client: TestClient;
  #read = 0;
  /** Of this connection's welcomes, those that reached the client or may yet. */
  #welcomes: number[] = [];

  constructor(habit: Habit, batch: boolean) {
    this.account = new Account(habit);
    this.#batch = batch;
    const limits = { highWaterBytes: HIGH_WATER_BYTES, outboxMessages: 12 };
    this.#hubs = [0, 1].map(() => new HubBench(limits, this.#clock));
    this.#follow();
    this.#client = this.#hub.connect({ batch });
    this.#welcomes = [0];
    this.#take(1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { hub } of this.#hubs) hub[Symbol.dispose]();
    await this.#clock.advance(0);
  }

  async play(step: Step): Promise<void> {
    const { transport } = this.#client;
    switch (step.do) {
      case "say":
        return this.#say(step.type);
      case "stall":
        transport.isStalled = true;
        return;
      case "flow":
        transport.isStalled = false;
        return transport.take();
      case "take":
        return transport.take(step.bytes);
      case "wait":
        return await this.#clock.advance(step.ms);
      case "renumber":
        this.#epoch += 1;
        this.#follow();
        this.#welcomes.push(this.said.length);
        return;
      case "comeBack":
        this.#comeBack(step);
    }
  }

  /** Lets everything through to the client. */
  async end(): Promise<void> {
    for (let look = 0; look < 60; look++) {
      if (this.#client.transport.closed) {
        this.#comeBack({ share: 1, clean: true, elsewhere: look % 2 === 1, isTold: false });
      }
      this.#client.transport.isStalled = false;
      this.#client.transport.take();
      await this.#clock.advance(50);
    }
    this.#take(Infinity);
  }

  get #hub(): HubBench {
    const hub = this.#hubs[this.#at];
    if (hub === undefined) throw new Error("there are two hubs");
    return hub;
  }

  #follow(): void {
    const startsAfter = this.#seq;
    const position = { epoch: `e${this.#epoch}`, seq: this.#seq };
    for (const { hub } of this.#hubs) hub.stream.follow(position, { startsAfter, hasGap: false });
  }

  #say(type: string): void {
    const seq = ++this.#seq;
    if (type !== "a") this.said.push({ n: seq, type });
    const frame = { type, data: text({ n: seq, padding: PADDING }), timestamp: 5, seq };
    for (const { hub } of this.#hubs) hub.stream.relay(frame);
  }

  #comeBack(
    { share, clean, elsewhere, isTold }: Omit<Extract<Step, { do: "comeBack" }>, "do">,
  ): void {
    const { transport, session } = this.#client;
    this.#take(Math.floor((transport.sent.length - this.#read) * share));
    const { hub } = this.#hub;
    hub.disconnected(session, { clean, code: clean ? 1000 : 0 });
    if (elsewhere) {
      const { id, progress } = session;
      const departure = hub.stream.departureOf(id, { progress });
      this.#at = 1 - this.#at;
      if (isTold) this.#hub.hub.stream.learn(JSON.parse(JSON.stringify(departure)));
    }
    this.#client = this.#hub.connect({ batch: this.#batch, resume: this.account.resume });
    this.#read = 0;
    this.#welcomes = [this.said.length];
    this.#take(1);
  }

  #take(count: number): void {
    const messages = this.#client.transport.sent.slice(this.#read, this.#read + count);
    this.#read += messages.length;
    for (const message of messages) {
      const before = this.account.welcomes.length;
      this.account.see(message);
      const came = this.account.welcomes.length - before;
      this.saidBefore.push(...this.#welcomes.splice(0, came));
    }
  }
}

/** What the client must have got: all that was said since the last welcome that told of a gap. */
function dueTo({ account, said, saidBefore }: Journey): number[] {
  const last = account.welcomes.findLastIndex(({ recovered }) => recovered !== true);
  return said.slice(saidBefore[last] ?? 0).map(({ n }) => n);
}

for (const habit of HABITS) {
  Deno.test(`C14, C44: \`recovered\` is said only where nothing is missing, whatever hub is asked (${habit})`, async () => {
    let recovered = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), fc.boolean(), async (plan, batch) => {
        await using journey = new Journey(habit, batch);
        for (const each of plan) await journey.play(each);
        await journey.end();
        const got = new Set(journey.account.got.map(({ n }) => n));
        assertEquals(dueTo(journey).filter((n) => !got.has(n)), []);
        recovered += journey.account.welcomes.filter((each) => each.recovered === true).length;
      }),
      { numRuns: 250 },
    );
    assert(recovered > 100, "hardly anybody was told so");
  });
}
