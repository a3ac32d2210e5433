import { assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import {
  type ChannelStanding,
  Incidents,
  type IncidentsPast,
} from "../../src/incidents/incidents.ts";
import { keeperOf } from "./keeper.ts";

const stale = (channel = "queue", isPublished = false): ChannelStanding => ({
  channel,
  standing: "stale",
  isPublished,
  why: "no answer",
});
const fresh = (channel = "queue"): ChannelStanding => ({
  channel,
  standing: "fresh",
  isPublished: false,
});

function incidentsOf(
  clock: FakeClock,
  more: { past?: IncidentsPast; wasTried?: () => boolean } = {},
) {
  const { keeper, past } = keeperOf();
  const incidents = new Incidents({ clock, keepForMs: 86_400_000, keeper, ...more });
  return { incidents, past };
}

const shown = (incidents: Incidents) =>
  incidents.find({}).map((
    { kind, ended_at, cause, times },
  ) => [kind, ended_at !== null, cause, times]);

Deno.test("Incidents begin with a breaker that opens and with a value that goes stale", async () => {
  const clock = new FakeClock();
  const { incidents } = incidentsOf(clock);
  await using _closed = incidents;
  incidents.backendDown("core", { cause: "connection refused", failures: 3 });
  await clock.advance(1000);
  incidents.channelStands(stale());
  await clock.advance(1000);
  incidents.channelStands(stale("backup", true));
  assertEquals(incidents.openCounts(), { backend_down: 1, source_stale: 1, publisher_silent: 1 });
  incidents.backendUp("core");
  incidents.channelStands(fresh());
  assertEquals(shown(incidents), [
    ["publisher_silent", false, "no answer", 1],
    ["source_stale", true, "no answer", 1],
    ["backend_down", true, "connection refused", 1],
  ]);
});

Deno.test("Incidents go on over a restart, the time off is one of its own and unknown", async () => {
  const clock = new FakeClock();
  const before = incidentsOf(clock);
  before.incidents.channelStands(fresh());
  const stop = new AbortController();
  const running = before.incidents.run(stop.signal);
  await clock.advance(10_000);
  before.incidents.channelStands(stale());
  before.incidents.backendDown("core", { cause: "connection refused", failures: 3 });
  await clock.advance(5000);
  stop.abort(); // as if killed: nothing is said at the end
  await running;
  const past = before.past("crash");
  await before.incidents[Symbol.asyncDispose]();
  await clock.advance(20_000);

  const after = incidentsOf(clock, { past });
  await using _closed = after.incidents;
  after.incidents.configured({ channels: ["queue"], backends: ["core"] });
  assertEquals(shown(after.incidents), [
    ["hub_down", true, "the hub's process ended without a word", 1],
    ["source_stale", false, "no answer", 1],
    ["backend_down", false, "connection refused", 1],
  ]);
  const [down] = after.incidents.find({});
  assertEquals([down?.duration_ms, down?.uncertain_ms], [20_000, 1000]);
  after.incidents.channelStands(fresh());
  assertEquals(after.incidents.find({ isOpen: true }).length, 1);
  await clock.advance(5000);
  assertEquals(after.incidents.uptime(["queue"], 40_000), {
    queue: { fresh_seconds: 15, stale_seconds: 5, unknown_seconds: 20, fresh_ratio: 0.75 },
  });
});

Deno.test("Incidents of what is configured no more are over", async () => {
  const clock = new FakeClock();
  const { incidents } = incidentsOf(clock);
  await using _closed = incidents;
  incidents.channelStands(stale());
  incidents.backendDown("core", { cause: "x" });
  incidents.configured({ channels: [], backends: ["core"] });
  assertEquals(incidents.openCounts(), { backend_down: 1 });
});

Deno.test("Incidents do not begin where a value is only waited for after a start", async () => {
  const clock = new FakeClock();
  let wasTried = false;
  const { incidents } = incidentsOf(clock, { wasTried: () => wasTried });
  await using _closed = incidents;
  const stop = new AbortController();
  const running = incidents.run(stop.signal);
  incidents.channelStands(stale());
  await clock.advance(1000);
  incidents.channelStands(fresh());
  await clock.advance(5000);
  assertEquals(shown(incidents), []);
  incidents.channelStands(stale());
  await clock.advance(3000);
  wasTried = true; // and it failed: it has been stale since
  await clock.advance(2000);
  stop.abort();
  await running;
  assertEquals(incidents.find({})[0]?.duration_ms, 5000);
});
