import type { StatusReport } from "../../src/server/reports/status_report.ts";
import { HubProcess, type LogLine } from "../support/hub_process.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import type { Chance } from "../support/seed.ts";
import { codesIn, lossesIn } from "./invariants.ts";
import type { Journal } from "./journal.ts";
import { Publisher } from "./publisher.ts";
import { RawClients } from "./raw_clients.ts";
import { sleep, StormBackend } from "./storm_backend.ts";
import { Wanderers } from "./wanderers.ts";
import { Witness } from "./witness.ts";

export interface StormOptions {
  chance: Chance;
  /** How long it blows, in milliseconds. */
  forMs: number;
  /** Threads that serve clients. Default: the main one. */
  workers?: number;
}

/** All that is left of a storm. */
export interface Aftermath {
  readonly backend: StormBackend;
  readonly logs: readonly LogLine[];
  readonly complaints: readonly string[];
  readonly exitCode: number;
  /** What the hub said of itself when it was calm again. */
  readonly status: StatusReport;
  readonly witnesses: readonly Witness[];
  /** The witness that also misbehaves within the limits. */
  readonly boor: Witness;
  readonly wanderers: readonly { readonly journal: Journal; readonly process: Wanderers }[];
  readonly raw: RawClients;
  readonly published: ReadonlyMap<number, number>;
  /** The most by which this process itself was late, in milliseconds. */
  readonly ownLatenessMs: number;
}

export const HEARTBEAT_MS = 250;
export const STALL_TIMEOUT_MS = 2000;
/** How long the second backend lets every call hang: a heartbeat that waited for it would show. */
export const HANG_MS = 15_000;

const READER = "reader-of-storms";
const PUBLISHER = "publisher-in-storms";
const PROCESSES = 3;
const WITNESSES = 3;
const LARGE = 120_000;
/** Bad messages of the witness that misbehaves; one more than 19 would have it closed. */
const BAD_MESSAGES = 12;

/** Channel and method of everything the backend under fire is asked. */
export const METHODS: ReadonlyMap<string, string> = new Map([
  ["system_status", "GetSystemStatus"],
  ["storage_update", "GetStorage"],
  ["agent_status", "GetAgents"],
]);

/** What witnesses listen to: all but the large values, which would only cost time. */
const SMALL = "system_status,storage_update,compression_update,notification,error,heartbeat";

/** Sends a hub of its own process through a storm, and comes back when it has ended. */
export async function weather(
  options: StormOptions,
  stack: AsyncDisposableStack,
): Promise<Aftermath> {
  const { chance, forMs, workers = 1 } = options;
  const backend = stack.use(
    new StormBackend({ chance: chance.fork(), padding: { GetAgents: LARGE }, slowMs: 600 }),
  );
  const mute = stack.use(new RpcBackend());
  mute.setAll("hang");
  const hub = stack.use(await HubProcess.start({ ...configFor(backend.url, mute.url), workers }));
  const url = hub.ws({ token: READER });
  const small = hub.ws({ token: READER, channels: SMALL });
  const witnesses: Witness[] = [];
  for (let nth = 0; nth < WITNESSES; nth++) witnesses.push(stack.use(await Witness.connect(small)));
  const [witness, boor] = witnesses;
  if (witness === undefined || boor === undefined) throw new Error("no witnesses");
  const folder = stack.adopt(
    await Deno.makeTempDir({ prefix: "holdfast-chaos-" }),
    (path) => Deno.remove(path, { recursive: true }),
  );
  const processes = Array.from({ length: PROCESSES }, (_, nth) =>
    stack.use(
      new Wanderers({
        url,
        chance: chance.fork(),
        folder,
        name: `wanderers-${nth}`,
        longestStopMs: 3 * STALL_TIMEOUT_MS,
      }),
    ));
  const raw = new RawClients({
    url,
    chance: chance.fork(),
    isLost: lossOf(witness),
    storyOf: (id) => JSON.stringify(hub.logs.filter(({ client_id }) => client_id === id)),
  });
  const publisher = new Publisher(hub.url, PUBLISHER);
  const lateness = new Lateness();

  const end = new AbortController();
  const { signal } = end;
  const everything = Promise.all([
    backend.storm(signal),
    raw.come(signal),
    publisher.run(25, signal),
    misbehave(boor, forMs, signal),
    lateness.watch(signal),
    ...processes.map((each) => each.torment(signal)),
    sleep(forMs, signal).catch(() => {}).finally(() => end.abort()),
  ]);
  try {
    await everything;
  } finally {
    end.abort();
  }

  // Calm: everybody comes back and hears the last word.
  await Promise.all(processes.map((each) => each.settle()));
  await settled(hub, witness);
  await publisher.publish();
  const status = await settled(hub, witness);
  const exitCode = await hub.stop("SIGTERM");
  await hub.waitForLog("server.stopped"); // the last line: all before it has been read by then
  await Promise.all(processes.map((each) => each.ended(15_000)));
  for (const each of witnesses) {
    await each.until(() => each.life.end, { explain: () => "a witness was not closed" });
  }
  return {
    backend,
    logs: hub.logs,
    complaints: hub.complaints,
    exitCode,
    status,
    witnesses,
    boor,
    wanderers: processes.flatMap((process) =>
      process.journals().map((journal) => ({ journal, process }))
    ),
    raw,
    published: publisher.published,
    ownLatenessMs: lateness.mostMs,
  };
}

/** What the hub says of itself once nothing new happens any more. */
async function settled(hub: HubProcess, witness: Witness): Promise<StatusReport> {
  for (let round = 0; round < 20; round++) {
    const errors = totalOf(witness);
    // Longer than a loss may wait to be told.
    await witness.beats(Math.ceil(1500 / HEARTBEAT_MS));
    const answer = await fetch(`${hub.url}/status`, {
      headers: { authorization: `Bearer ${READER}` },
    });
    const status: StatusReport = await answer.json();
    const { core } = status.backends;
    await witness.beats(1);
    if (core?.state === "closed" && totalOf(witness) === errors) return status;
  }
  throw new Error("the hub did not come to rest after the storm");
}

function totalOf(witness: Witness): number {
  return Object.values(codesIn([witness.life])).reduce((sum, each) => sum + each, 0);
}

function lossOf(witness: Witness): (id: string) => boolean {
  return (id) => lossesIn(witness.frames).some((loss) => loss.id === id);
}

/** Sends messages nobody can accept, spread over the storm. */
async function misbehave(boor: Witness, forMs: number, signal: AbortSignal): Promise<void> {
  for (let nth = 0; nth < BAD_MESSAGES; nth++) {
    await sleep(forMs / (BAD_MESSAGES + 1), signal).catch(() => {});
    if (signal.aborted) return;
    boor.send(nth % 2 === 0 ? "what?" : { type: "subscribe", channels: ["no_such_channel"] });
  }
}

/** How late this process' own timers are: what it saw late, the hub need not have said late. */
class Lateness {
  mostMs = 0;

  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const begun = performance.now();
      await sleep(100, signal).catch(() => {});
      this.mostMs = Math.max(this.mostMs, performance.now() - begun - 100);
    }
  }
}

function configFor(url: string, muteUrl: string): object {
  return {
    backends: {
      core: {
        transport: "json-rpc",
        url,
        timeout: "1200ms",
        retry: { attempts: 2, min: "20ms", max: "100ms" },
        breaker: { failures: 3, open_for: "600ms", max_open_for: "2s" },
        health_check: { method: "Health", every: "400ms", timeout: "300ms" },
        max_response_bytes: 1_000_000,
      },
      mute: { transport: "json-rpc", url: muteUrl, timeout: `${HANG_MS}ms` },
    },
    sources: [
      ...[...METHODS].map(([channel, method]) => ({
        channel,
        backend: "core",
        method,
        every: channel === "agent_status" ? "150ms" : "60ms",
        stale_after: "2s",
      })),
      { channel: "compression_update", backend: "mute", method: "GetCompression", every: "100ms" },
    ],
    hub: {
      heartbeat_every: `${HEARTBEAT_MS}ms`,
      ping_every: "3s",
      stall_timeout: `${STALL_TIMEOUT_MS}ms`,
    },
    auth: {
      tokens: [
        { name: "readers", token: READER },
        { name: "publisher", token: PUBLISHER, publish: true },
      ],
    },
    log: { level: "debug" },
  };
}
