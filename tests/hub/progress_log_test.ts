import { Departed, MAX_REMEMBERED } from "../../src/hub/departed.ts";
import { MAX_OUT_OF_TURN, ProgressLog } from "../../src/hub/progress_log.ts";
import { resumeFrom } from "../../src/hub/resume.ts";
import { encodeFrame } from "../../src/protocol/codec.ts";
import { assert, assertEquals, assertFalse } from "../support/assert.ts";
import { text } from "../support/hub_bench.ts";

/** Lets a frame leave; whether it was in turn. */
function leave(log: ProgressLog, type: string, seq: number, firstWaitingEvent?: number): boolean {
  const frame = encodeFrame(type, text({}), 0, seq);
  const isInTurn = log.isInTurn(frame, firstWaitingEvent);
  log.note(frame, isInTurn);
  return isInTurn;
}

Deno.test("ProgressLog has nothing to remember of frames that leave in turn", () => {
  const log = new ProgressLog({ events: 0, errors: 0 });
  for (const [at, type] of ["notification", "a", "rpc_error", "heartbeat"].entries()) {
    assert(leave(log, type, at + 1));
  }
  assert(log.isPlain);
  assertEquals([log.at(0), log.at(3)], [{ events: 0, errors: 0 }, { events: 3, errors: 3 }]);
});

Deno.test("ProgressLog knows what an error had overtaken, and a value that came late", () => {
  const log = new ProgressLog({ events: 0, errors: 0 });
  leave(log, "notification", 1);
  assertFalse(leave(log, "rpc_error", 5, 2), "events 2 to 4 wait");
  assertFalse(leave(log, "notification", 2, 2), "5 has left before");
  assertFalse(leave(log, "notification", 4, 4));
  assertFalse(leave(log, "a", 3), "a value that had to wait for all of them");
  assert(leave(log, "notification", 6));
  assertFalse(log.isPlain);
  assertEquals(log.highestOutOfTurn, 5);
  assertEquals([1, 5, 2, 4, 3, 6].map((seq) => log.at(seq)), [
    { events: 1, errors: 1 },
    { events: 1, errors: 5 },
    { events: 2, errors: 5 },
    { events: 4, errors: 5 },
    { events: 4, errors: 5 },
    { events: 6, errors: 6 },
  ]);
});

Deno.test("ProgressLog.rewind() goes by what was missed until that has left", () => {
  const log = new ProgressLog({ events: 9, errors: 9 });
  log.rewind({ events: 2, errors: 5 }, [5, 9]);
  assertEquals([log.at(5), log.at(9)], [{ events: 2, errors: 5 }, { events: 2, errors: 5 }]);
  leave(log, "notification", 3, 3);
  assertEquals(log.at(3), { events: 3, errors: 5 });
  leave(log, "notification", 9, 9);
  assertEquals(log.at(9), { events: 9, errors: 9 }, "now it has got everything");
});

Deno.test("ProgressLog admits that it has forgotten, once it has", () => {
  const log = new ProgressLog({ events: 0, errors: 0 });
  const firstWaiting = 1;
  for (let seq = 2; seq < 2 + MAX_OUT_OF_TURN; seq++) leave(log, "rpc_error", seq, firstWaiting);
  assertEquals(log.at(2), { events: 0, errors: 2 });
  leave(log, "rpc_error", 2 + MAX_OUT_OF_TURN, firstWaiting);
  assertEquals(log.at(2), undefined, "not: all up to 2");
  assertEquals(log.at(3), { events: 0, errors: 3 });
  assertFalse(log.isPlain);
});

/** The log of a client that was slow around this number. */
function slowAt(seq: number): ProgressLog {
  const log = new ProgressLog({ events: 0, errors: 0 });
  leave(log, "rpc_error", seq, seq - 1);
  return log;
}

Deno.test("Departed remembers whoever there is something to tell of, for its time", () => {
  const departed = new Departed(1000);
  const plain = new ProgressLog({ events: 0, errors: 0 });
  departed.remember("plain", { progress: plain }, 0);
  departed.remember("closed", { progress: plain, closedWith: "SLOW_CLIENT" }, 0);
  departed.remember("slow", { progress: slowAt(7) }, 500);
  assertEquals(departed.size, 2);
  assertEquals(departed.recall("closed", 1000)?.closedWith, "SLOW_CLIENT");
  assertEquals(departed.recall("closed", 1001), undefined);
  assertEquals(departed.forgottenUpTo, -1, "its number says all");
  assert(departed.recall("slow", 1500));
  assertEquals(departed.recall("slow", 1501), undefined);
  assertEquals([departed.size, departed.forgottenUpTo], [0, 7]);
});

Deno.test("Departed is bounded, and those that left first go first", () => {
  const departed = new Departed(1000);
  for (let nth = 0; nth <= MAX_REMEMBERED; nth++) {
    departed.remember(`${nth}`, { progress: slowAt(10 + nth), closedWith: "SLOW_CLIENT" }, 0);
  }
  assertEquals([departed.size, departed.forgottenUpTo], [MAX_REMEMBERED, 10]);
  assertEquals([departed.recall("0", 0), departed.recall("1", 0)?.closedWith], [
    undefined,
    "SLOW_CLIENT",
  ]);
});

Deno.test("resumeFrom() says how far a client had got, or that it cannot tell", () => {
  const known = { epoch: "e", seq: 100, memory: undefined, forgottenUpTo: -1 };
  const at = { session: "s", epoch: "e" };
  assertEquals(resumeFrom({ ...at, since: 100 }, known), {
    progress: { events: 100, errors: 100 },
  });
  assertEquals(resumeFrom({ since: 0 }, known), { progress: { events: 0, errors: 0 } });
  for (const since of [101, -1, 1.5, NaN, Infinity]) {
    assertEquals(resumeFrom({ ...at, since }, known), {}, String(since));
  }
  assertEquals(resumeFrom(at, known), {});
  assertEquals(resumeFrom({ ...at, epoch: "other", since: 5 }, known), {});
  const memory = { progress: slowAt(50), closedWith: "SLOW_CLIENT" } as const;
  assertEquals(resumeFrom({ ...at, since: 50 }, { ...known, memory }), {
    progress: { events: 0, errors: 50 },
    closedWith: "SLOW_CLIENT",
  });
  assertEquals(resumeFrom({ session: "s", epoch: "other", since: 50 }, { ...known, memory }), {
    closedWith: "SLOW_CLIENT",
  });
});

Deno.test("resumeFrom() does not trust the number of a client that may have been forgotten", () => {
  const known = { epoch: "e", seq: 100, memory: undefined, forgottenUpTo: 50 };
  const at = { session: "s", epoch: "e" };
  assertEquals(resumeFrom({ ...at, since: 50 }, known), {});
  assertEquals(resumeFrom({ ...at, since: 51 }, known), { progress: { events: 51, errors: 51 } });
  assertEquals(
    resumeFrom({ since: 50 }, known),
    { progress: { events: 50, errors: 50 } },
    "an event stream is shown only numbers that say all",
  );
});
