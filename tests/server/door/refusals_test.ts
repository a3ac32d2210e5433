import { REFUSAL_REASONS, Refusals } from "../../../src/server/door/refusals.ts";
import { startLogs } from "../../../src/telemetry/log.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { FakeClock } from "../../support/fake_clock.ts";

Deno.test("C29: Refusals counts by reason from 0 and logs folded, however many knock", async () => {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  await using _logs = startLogs({ level: "info", format: "json", write });
  const told = () => lines.splice(0).map((line) => JSON.parse(line));
  const clock = new FakeClock();
  const stop = new AbortController();
  const refusals = new Refusals({ clock, signal: stop.signal });
  assertEquals([...refusals.counts().keys()], [...REFUSAL_REASONS]);
  for (let time = 0; time < 1000; time++) {
    refusals.add("wrong_token", { address: `10.0.0.${time % 7}`, path: "/ws" });
  }
  refusals.add("origin", { address: "10.0.0.9", path: `/${"x".repeat(5000)}` });
  assertEquals(refusals.counts().get("wrong_token"), 1000);
  const [first, origin, ...more] = told();
  assertEquals([first.event, first.level, first.reason, first.address, first.path], [
    "client.refused",
    "warning",
    "wrong_token",
    "10.0.0.0",
    "/ws",
  ]);
  assertEquals([origin.reason, origin.path.length, more], ["origin", 100, []]);
  await clock.advance(60_000);
  const [folded, ...others] = told();
  assertEquals([folded.event, folded.reason, folded.times, folded.addresses, others], [
    "client.refused_more",
    "wrong_token",
    999,
    7,
    [],
  ]);
  refusals.add("wrong_token", { address: "10.0.0.1", path: "/ws" });
  assertEquals(told(), [], "it goes on: one line a minute");
  await clock.advance(180_000);
  assertEquals(told().map(({ times }) => times), [1]);
  assertEquals(clock.sleeping, 0);
  refusals.add("wrong_token", { address: "10.0.0.1", path: "/ws" });
  assertEquals(told().length, 1, "after a quiet minute the next one is told at once");
  refusals.add("wrong_token", { address: "10.0.0.1", path: "/ws" });
  stop.abort();
  await clock.advance(0);
  assertEquals(told().map(({ times }) => times), [1], "what was gathered is not lost");
});

Deno.test("C29: Refusals keeps no more addresses than it must", async () => {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  await using _logs = startLogs({ level: "info", format: "json", write });
  const clock = new FakeClock();
  const stop = new AbortController();
  const refusals = new Refusals({ clock, signal: stop.signal });
  for (let time = 0; time < 5000; time++) {
    refusals.add("no_token", { address: `10.0.${time >> 8}.${time & 255}`, path: "/" });
  }
  await clock.advance(60_000);
  assert(lines.at(-1)?.includes('"addresses":"1000 or more"'), lines.at(-1));
  stop.abort();
});
