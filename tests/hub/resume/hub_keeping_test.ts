import type {
  KeptFrame,
  KeptPosition,
  KeptSession,
  ResumePast,
} from "../../../src/hub/resume/resume_keeper.ts";
import { wholeFrames } from "../../../src/hub/resume/resume_keeper.ts";
import { json, type JsonText } from "../../../src/protocol/codec.ts";
import { errorEvent } from "../../../src/protocol/error_event.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import type { HubOptions } from "../../../src/hub/hub_options.ts";
import { HubBench } from "../../support/hub_bench.ts";

/** What a hub had kept, at any moment. */
function keeperOf() {
  const frames: KeptFrame[] = [];
  const sessions = new Map<string, KeptSession>();
  let position: KeptPosition | undefined;
  return {
    keeper: {
      keep: (at: KeptPosition, frame?: KeptFrame) => {
        position = at;
        if (frame) frames.push(frame);
      },
      session: (id: string, session: KeptSession | undefined) => {
        if (session) sessions.set(id, session);
        else sessions.delete(id);
      },
    },
    past: (): ResumePast => {
      assert(position);
      return { position, frames: [...frames], sessions: new Map(sessions) };
    },
  };
}

const benchOf = (lives: Pick<HubOptions, "keeper" | "past">) =>
  new HubBench({}, new FakeClock(), undefined, lives);

const STATUS = { data: "1" as JsonText, is_stale: false, cached_at: 0, age_ms: 0 };

Deno.test("Hub gives out no number, by whatever way, that was not kept before", async () => {
  const { keeper, past } = keeperOf();
  await using bench = benchOf({ keeper });
  for (let n = 0; n < 3000; n++) {
    const seq = [
      () => bench.hub.value("a", STATUS),
      () => bench.hub.broadcast("notification", json({ n })),
      () => bench.hub.broadcast("heartbeat", json({})),
      () => bench.hub.error(errorEvent("RPC_FAILURE", "x", { timestamp: 0 })),
    ][n % 4]?.();
    assert(seq !== undefined && seq <= past().position.upTo, `${seq}`);
  }
});

Deno.test("Hub goes on in another life: same epoch, higher numbers, events and errors still there", async () => {
  const { keeper, past } = keeperOf();
  const before = benchOf({ keeper });
  before.hub.broadcast("notification", json({ n: 1 }));
  const since = before.hub.seq;
  before.hub.broadcast("notification", json({ n: 2 }));
  before.hub.error(errorEvent("RPC_FAILURE", "x", { timestamp: 0 }));
  const { epoch, seq } = before.hub;
  await before[Symbol.asyncDispose](); // it says nothing at its end

  await using after = benchOf({ keeper, past: past() });
  assertEquals(after.hub.epoch, epoch);
  assert(after.hub.seq >= seq);
  const client = after.connect({ resume: { session: "s", epoch, since } });
  const { types } = client.transport;
  assertEquals(types, ["welcome", "notification", "rpc_error"]);
  const [welcome] = client.transport.frames;
  assertEquals([welcome?.data.recovered, welcome?.data.gap], [true, false]);
  const next = after.hub.broadcast("notification", json({ n: 3 }));
  assert(next > seq);
});

Deno.test("wholeFrames() takes only what belongs together up to the newest", () => {
  const frame = (seq: number, previous: number): KeptFrame => ({
    type: "notification",
    seq,
    timestamp: 0,
    data: json({}),
    previous,
  });
  const of = (frames: readonly KeptFrame[], lastFrame: number) => {
    const position = { epoch: "e", upTo: 1000, lastFrame, forgottenUpTo: -1 };
    const whole = wholeFrames({ position, frames, sessions: new Map() });
    return [whole.frames.map(({ seq }) => seq), whole.startsAfter];
  };
  assertEquals(of([frame(3, 1), frame(5, 3), frame(6, 5)], 6), [[3, 5, 6], 1]);
  assertEquals(of([frame(3, 1), frame(6, 5)], 6), [[6], 5]); // 5 is missing
  assertEquals(of([frame(3, 1), frame(5, 3)], 6), [[], 1000]); // the newest is missing
  assertEquals(of([], 6), [[], 6]); // all too old
});
