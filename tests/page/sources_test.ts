import type { ChannelState } from "../../src/client/mod.ts";
import { matches } from "../../src/page/search.ts";
import { gravestFirst, type Source, sourcesOf } from "../../src/page/sources/source.ts";
import type { ShownSource } from "../../src/page/hub/status_watch.ts";
import { assertEquals } from "../support/assert.ts";

const seen = { data: 1, cachedAt: 1764000000, ageMs: 5 };
const STATES: Record<string, ChannelState> = {
  a: { kind: "live", channel: "a", ...seen },
  b: {
    kind: "stale",
    channel: "b",
    ...seen,
    why: "no newer value for 300000 ms",
    staleSince: 1764000000,
    staleForMs: 1,
  },
};
const read = (channel: string): ChannelState =>
  (Object.hasOwn(STATES, channel) ? STATES[channel] : undefined) ??
    { kind: "never_seen", channel, why: "no value yet" };
const quietReport: ShownSource = { last_error: null };

function listOf(reports: Record<string, ShownSource>): readonly Source[] {
  return sourcesOf({ channels: Object.keys(STATES), read, reports }).list;
}

Deno.test("C23: sourcesOf() tells one that failed from the start from one that was not asked yet", () => {
  const list = listOf({
    c: { last_error: "GET http://127.0.0.1:9/x: HTTP status 404" },
    constructor: quietReport,
  });
  const found = Object.fromEntries(list.map((each) => [each.channel, each]));
  assertEquals(
    [found.c?.standing, found.c?.reason],
    ["failed", "HTTP status 404 (GET http://127.0.0.1:9/x)"],
  );
  assertEquals(
    Object.entries(found).find(([name]) => name === "constructor")?.[1].standing,
    "waiting",
  );
  assertEquals([found.b?.standing, found.b?.reason], ["stale", "no newer value for 5 min"]);
  assertEquals(
    gravestFirst(list).map(({ standing }) => standing),
    ["failed", "stale", "waiting", "live"],
  );
});

Deno.test("sourcesOf() keeps groups together, and in them the configured order", () => {
  const list = listOf({
    b: { ...quietReport, group: "Shop" },
    x: quietReport,
    a: { ...quietReport, group: "Shop", order: -1, title: "First" },
    z: { ...quietReport, group: "Plant" },
  });
  assertEquals(list.map(({ channel }) => channel), ["a", "b", "z", "x"]);
  assertEquals(list.map(({ title }) => title), ["First", "B", "Z", "X"]);
});

Deno.test("sourcesOf() leaves out what nothing feeds, and names it", () => {
  const { list, quiet } = sourcesOf({ channels: ["a", "agent_status"], read, reports: {} });
  assertEquals([list.map(({ channel }) => channel), quiet], [["a"], ["agent_status"]]);
});

Deno.test("matches() finds every word anywhere in what a source is called", () => {
  const [source] = listOf({ a: { ...quietReport, title: "Mail server", group: "Machines" } });
  if (source === undefined) throw new Error("there is one");
  for (const text of ["", "  ", "MAIL", "machines mail", "a live"]) {
    assertEquals(matches(source, text), true, text);
  }
  assertEquals(matches(source, "mail shop"), false);
});
