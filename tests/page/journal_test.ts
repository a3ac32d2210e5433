import { errorEvent } from "../../src/protocol/error_event.ts";
import { Journal, MAX_ENTRIES } from "../../src/page/reports/journal.ts";
import { assertEquals } from "../support/assert.ts";

function failure(channel: string, timestamp: number) {
  return errorEvent("RPC_FAILURE", `polling "${channel}" failed`, {
    timestamp,
    details: "refused",
  });
}

Deno.test("Journal.tell() puts the newest first, a recovery as good news", () => {
  const journal = new Journal();
  journal.tell(errorEvent("CIRCUIT_OPEN", "open", { timestamp: 1 }));
  journal.tell(errorEvent("RPC_RECOVERED", "closed", { timestamp: 2 }));
  assertEquals(journal.entries.map(({ code, tone }) => [code, tone]), [
    ["RPC_RECOVERED", "good"],
    ["CIRCUIT_OPEN", "critical"],
  ]);
});

Deno.test("Journal.tell() counts what repeats, also when several take turns", () => {
  const journal = new Journal();
  for (let at = 1; at <= 10; at++) {
    journal.tell(failure("a", at));
    journal.tell(failure("b", at));
  }
  assertEquals(
    journal.entries.map(({ message, count, firstAt, lastAt }) => [message, count, firstAt, lastAt]),
    [
      ['polling "b" failed', 10, 1, 10],
      ['polling "a" failed', 10, 1, 10],
    ],
  );
});

Deno.test("Journal.tell() begins a new chapter after a breaker opened or closed", () => {
  const journal = new Journal();
  journal.tell(failure("a", 1));
  journal.tell(errorEvent("CIRCUIT_OPEN", "open", { timestamp: 2 }));
  journal.tell(failure("a", 3));
  assertEquals(journal.entries.map(({ count }) => count), [1, 1, 1]);
});

Deno.test("Journal.tell() tells of a cluster that was lost and found in plain words", () => {
  const journal = new Journal();
  const lost = () =>
    errorEvent("CLUSTER_LOST", "the hub has lost the stream that hubs share", {
      timestamp: 1,
      details: "connection refused",
    });
  journal.tell(lost());
  journal.tell(errorEvent("CLUSTER_RECOVERED", "the hub is back", { timestamp: 2 }));
  journal.tell(lost());
  assertEquals(
    journal.entries.map(({ tone, message, details }) => [tone, message.split(".")[0], details]),
    [
      ["warning", "This hub has lost touch with the others", "connection refused"],
      ["good", "This hub is back with the others", undefined],
      ["warning", "This hub has lost touch with the others", "connection refused"],
    ],
  );
});

Deno.test("Journal.add() forgets the oldest when it is full", () => {
  const journal = new Journal();
  for (let at = 0; at < 1000; at++) {
    journal.add({ tone: "note", code: "X", message: `${at}`, at });
  }
  assertEquals(journal.entries.length, MAX_ENTRIES);
  assertEquals(journal.entries[0]?.message, "999");
});
