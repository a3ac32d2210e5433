import {
  DisconnectedSessions,
  MAX_REMEMBERED,
} from "../../../src/hub/resume/disconnected_sessions.ts";
import { DeliveryLog, MAX_OUT_OF_TURN } from "../../../src/hub/resume/delivery_log.ts";
import { resumeFrom } from "../../../src/hub/resume/resume.ts";
import { encodeFrame } from "../../../src/protocol/codec.ts";
import { assert, assertEquals, assertFalse } from "../../support/assert.ts";
import { text } from "../../support/hub_bench.ts";

/** Lets a frame leave; whether it was in turn. */
function leave(log: DeliveryLog, type: string, seq: number, firstWaitingEvent?: number): boolean {
  const frame = encodeFrame(type, text({}), 0, seq);
  const isInTurn = log.isInTurn(frame, firstWaitingEvent);
  log.note(frame, isInTurn);
  return isInTurn;
}

Deno.test("DeliveryLog has nothing to remember of frames that leave in turn", () => {
  const log = new DeliveryLog({ events: 0, errors: 0 });
  for (const [at, type] of ["notification", "a", "rpc_error", "heartbeat"].entries()) {
    assert(leave(log, type, at + 1));
  }
  assert(log.isPlain);
  assertEquals([log.at(0), log.at(3)], [{ events: 0, errors: 0 }, { events: 3, errors: 3 }]);
});

Deno.test("DeliveryLog knows what an error had overtaken, and a value that came late", () => {
  const log = new DeliveryLog({ events: 0, errors: 0 });
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

Deno.test("DeliveryLog.rewind() goes by what was missed until that has left", () => {
  const log = new DeliveryLog({ events: 9, errors: 9 });
  log.rewind({ events: 2, errors: 5 }, [5, 9]);
  assertEquals([log.at(5), log.at(9)], [{ events: 2, errors: 5 }, { events: 2, errors: 5 }]);
  leave(log, "notification", 3, 3);
  assertEquals(log.at(3), { events: 3, errors: 5 });
  leave(log, "notification", 9, 9);
  assertEquals(log.at(9), { events: 9, errors: 9 }, "now it has got everything");
});

Deno.test("DeliveryLog admits that it has forgotten, once it has", () => {
  const log = new DeliveryLog({ events: 0, errors: 0 });
  const firstWaiting = 1;
  for (let seq = 2; seq < 2 + MAX_OUT_OF_TURN; seq++) leave(log, "rpc_error", seq, firstWaiting);
  assertEquals(log.at(2), { events: 0, errors: 2 });
  leave(log, "rpc_error", 2 + MAX_OUT_OF_TURN, firstWaiting);
  assertEquals(log.at(2), undefined, "not: all up to 2");
  assertEquals(log.at(3), { events: 0, errors: 3 });
  assertFalse(log.isPlain);
});

/** The log of a client that was slow around this number. */
function slowAt(seq: number): DeliveryLog {
  const log = new DeliveryLog({ events: 0, errors: 0 });
  leave(log, "rpc_error", seq, seq - 1);
  return log;
}

Deno.test("DisconnectedSessions remembers whoever there is something to tell of, for its time", () => {
  const disconnectedSessions = new DisconnectedSessions(1000);
  const plain = new DeliveryLog({ events: 0, errors: 0 });
  disconnectedSessions.remember("plain", { progress: plain }, 0);
  disconnectedSessions.remember("closed", { progress: plain, closedWith: "SLOW_CLIENT" }, 0);
  disconnectedSessions.remember("slow", { progress: slowAt(7) }, 500);
  assertEquals(disconnectedSessions.size, 2);
  assertEquals(disconnectedSessions.recall("closed", 1000)?.closedWith, "SLOW_CLIENT");
  assertEquals(disconnectedSessions.recall("closed", 1001), undefined);
  assertEquals(disconnectedSessions.forgottenUpTo, -1, "its number says all");
  assert(disconnectedSessions.recall("slow", 1500));
  assertEquals(disconnectedSessions.recall("slow", 1501), undefined);
  assertEquals([disconnectedSessions.size, disconnectedSessions.forgottenUpTo], [0, 7]);
});

Deno.test("DisconnectedSessions is bounded, and those that left first go first", () => {
  const disconnectedSessions = new DisconnectedSessions(1000);
  for (let nth = 0; nth <= MAX_REMEMBERED; nth++) {
    disconnectedSessions.remember(`${nth}`, {
      progress: slowAt(10 + nth),
      closedWith: "SLOW_CLIENT",
    }, 0);
  }
  assertEquals([disconnectedSessions.size, disconnectedSessions.forgottenUpTo], [
    MAX_REMEMBERED,
    10,
  ]);
  assertEquals([
    disconnectedSessions.recall("0", 0),
    disconnectedSessions.recall("1", 0)?.closedWith,
  ], [
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
  assertEquals(
    resumeFrom({ epoch: "e", since: 0, isEventId: true }, known),
    { progress: { events: 0, errors: 0 } },
  );
  assertEquals(resumeFrom({ epoch: "e", since: 0 }, known), {}, "whose number it is, is not said");
  assertEquals(resumeFrom({ session: "s", since: 0 }, known), {}, "C44: nor in which epoch");
  assertEquals(resumeFrom({ since: 0, isEventId: true }, known), {}, "C16");
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
    resumeFrom({ epoch: "e", since: 50, isEventId: true }, known),
    { progress: { events: 50, errors: 50 } },
    "an event stream is shown only numbers that say all",
  );
  assertEquals(
    resumeFrom({ ...at, since: 50 }, { ...known, numbersSpeak: true }),
    { progress: { events: 50, errors: 50 } },
    "where all numbers do, nothing need be remembered",
  );
});
