/**
 * Every event that was accepted (202) reaches every client that was there, or a gap is told, while
 * the hub is killed, halted and drained again and again. `HOLDFAST_ACCEPTED` (default 5000) is how
 * many are to be accepted, `HOLDFAST_SEED` repeats the choices of a run.
 */
import { StateDir } from "../state/support.ts";
import { assertEquals, assertGreater } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free_port.ts";
import { HubProcess } from "../support/hub_process.ts";
import { Chance, numberFromEnv, runSeed, say } from "../support/seed.ts";
import { within } from "../support/until.ts";
import { WsClient } from "../support/ws_client.ts";
import { type Accepted, Account } from "./accounts.ts";
import { sleep } from "./storm_backend.ts";

const DEFAULT_ACCEPTED = 5000;
const TOKEN = "of-the-accepted";
const CLIENTS = 8;
const PUBLISHERS = 6;
/** Wait of a publisher after each event, in milliseconds. */
const PACE_MS = 5;
/** What happens to the hub, again and again. */
const WAYS = ["kill", "halt", "drain", "kill"] as const;
/** Longest stay and absence of a client that comes and goes, in milliseconds. */
const STAY_MS = 6000;
const AWAY_MS = 1000;
/** How long a run may take for each event, in milliseconds, before it counts as stuck. */
const MOST_MS_EACH = 50;
const LEAST_BOUND_MS = 120_000;

Deno.test("C44 C45: what was accepted reaches everybody or is told as a gap, through kills, halts and drains", async () => {
  const wanted = numberFromEnv("HOLDFAST_ACCEPTED", DEFAULT_ACCEPTED);
  const chance = new Chance(runSeed("accepted"));
  await using dir = await StateDir.make();
  const place = { port: freePort(), config: configFor(dir.path) };
  let hub = await startOn(place);
  // With a state the epoch outlives all that happens here.
  const epoch = await epochOf(hub);
  const accepted = new Map<number, Accepted>();
  const refused = new Map<string, number>();
  const done = { kill: 0, drain: 0, halt: 0 };
  const end = new AbortController();
  const settle = new AbortController();
  const { signal } = end;
  const clients = Array.from({ length: CLIENTS }, (_, nth) =>
    new Client({
      url: hub.ws({ token: TOKEN, ...(nth % 2 === 0 ? {} : { batch: "1" }) }),
      chance: chance.fork(),
      // Some stay for as long as they can; the others come and go.
      staysMs: nth < 3 ? Infinity : STAY_MS,
      settle: settle.signal,
    }));
  const ways: Readonly<Record<keyof typeof done, () => Promise<void>>> = {
    kill: async () => {
      await hub.stop("SIGKILL");
      hub = await startOn(place);
    },
    drain: async () => {
      assertEquals(await hub.stop("SIGTERM"), 0);
      hub = await startOn(place);
    },
    halt: async () => {
      hub.signal("SIGSTOP");
      await sleep(chance.between(500, 6000));
      hub.signal("SIGCONT");
    },
  };
  let number = 0;
  const publish = async () => {
    while (accepted.size < wanted && !signal.aborted) {
      number += 1;
      const why = await publishOn(place, { number, epoch, accepted, signal });
      if (why !== undefined) refused.set(why, (refused.get(why) ?? 0) + 1);
      await sleep(PACE_MS, signal).catch(() => {});
    }
  };
  const bound = setTimeout(
    () => end.abort(new Error("the run is stuck")),
    Math.max(LEAST_BOUND_MS, wanted * MOST_MS_EACH),
  );
  const lives = clients.map((client) => client.run(signal));
  const publishing = Promise.all(Array.from({ length: PUBLISHERS }, publish));
  try {
    let isOver = false;
    const over = publishing.then(() => isOver = true);
    for (let nth = 0; !isOver && !signal.aborted; nth++) {
      const rest = sleep(chance.between(600, 4000), signal).catch(() => {});
      await Promise.race([over, rest]);
      const way = WAYS[nth % WAYS.length] ?? "kill";
      await ways[way]();
      done[way] += 1;
    }
    await publishing;
    // Calm: everybody comes back and gets the last ones. Who came after the last one with a gap would
    // never get it.
    settle.abort();
    await eventually("everybody is back", () => clients.every(({ isThere }) => isThere));
    const last = await lastOf(place, { number: ++number, epoch, accepted, signal });
    for (const { account } of clients) {
      await eventually("everybody got the last one", () => account.got.has(last));
    }
  } finally {
    clearTimeout(bound);
    end.abort();
    await Promise.all(lives);
    await hub[Symbol.asyncDispose]();
  }

  const missing = clients.flatMap(({ account }) => account.missing(accepted));
  const sum = (of: (account: Account) => number) =>
    clients.reduce((total, { account }) => total + of(account), 0);
  say(
    `accepted: ${accepted.size} events answered with 202, ${done.kill} kills, ${done.drain} ` +
      `drains, ${done.halt} halts; not accepted: ${JSON.stringify([...refused])}; ${CLIENTS} ` +
      `clients got ${sum(({ got }) => got.size)}, resumed ${
        sum(({ resumed }) => resumed)
      } times, ` +
      `were told ${sum(({ gaps }) => gaps)} gaps; ${missing.length} missing without a word, ` +
      `${sum(({ breachCount }) => breachCount)} other breaches`,
  );
  assertEquals(missing.slice(0, 20), []);
  assertEquals(clients.flatMap(({ account }) => account.breaches), []);
  assertEquals(
    clients.flatMap(({ account }) => account.epochs.filter((each) => each !== epoch)),
    [],
  );
  assertGreater(done.kill + done.drain + done.halt, 0);
  assertGreater(sum(({ resumed }) => resumed), 0);
});

interface Place {
  readonly port: number;
  readonly config: object;
}

function startOn({ port, config }: Place): Promise<HubProcess> {
  return HubProcess.start(config, { port });
}

interface Publication {
  readonly number: number;
  readonly epoch: string;
  /** Where it is written down once it was accepted. */
  readonly accepted: Map<number, Accepted>;
  readonly signal: AbortSignal;
}

/** Publishes a number; the reason if it was not accepted, as far as its publisher can tell. */
async function publishOn({ port }: Place, publication: Publication): Promise<string | undefined> {
  const { number, epoch, accepted, signal } = publication;
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/publish`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify({ channel: "notification", data: { title: `${number}`, number } }),
      signal,
    });
    const { seq } = await answer.json();
    if (answer.status !== 202) return String(answer.status);
    accepted.set(number, { epoch, seq });
    return undefined;
  } catch {
    return "no answer";
  }
}

/** The number of one more event that was accepted. */
async function lastOf(place: Place, publication: Publication): Promise<number> {
  const { number: first } = publication;
  for (let number = first; number < first + 100; number++) {
    const why = await publishOn(place, { ...publication, number });
    if (why === undefined) return number;
    await sleep(100);
  }
  throw new Error("nothing is accepted any more");
}

async function epochOf(hub: HubProcess): Promise<string> {
  await using client = await WsClient.connect(hub.ws({ token: TOKEN }));
  return client.frames[0]?.data["epoch"];
}

interface ClientOptions {
  url: string;
  chance: Chance;
  staysMs: number;
  /** From then on it stays. */
  settle: AbortSignal;
}

/** A client that is there again whenever it can be, and goes on where it was. */
class Client {
  readonly account = new Account();
  /** It was welcomed on the connection that it has. */
  isThere = false;
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { chance, settle } = this.#options;
    while (!signal.aborted) {
      await this.#live(signal);
      const isOver = AbortSignal.any([signal, settle]);
      await sleep(chance.between(10, AWAY_MS), isOver).catch(() => sleep(50));
    }
  }

  async #live(signal: AbortSignal): Promise<void> {
    const { url: address, chance, staysMs, settle } = this.#options;
    const resume = this.account.resumePoint;
    const url = new URL(address);
    url.searchParams.set("channels", "notification,error");
    for (const [name, value] of Object.entries(resume ?? {})) {
      url.searchParams.set(name, String(value));
    }
    const socket = new WebSocket(url);
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    socket.onmessage = ({ data }) => {
      for (const frame of [JSON.parse(data)].flat()) {
        this.account.take({ ...frame, at: 0 }, resume);
        this.isThere = true;
      }
    };
    socket.onerror = () => {}; // the close that follows tells it all
    socket.onclose = () => {
      this.isThere = false;
      resolve();
    };
    const stay = staysMs === Infinity || settle.aborted
      ? sleep(LEAST_BOUND_MS * 1000, signal)
      : sleep(chance.between(200, staysMs), AbortSignal.any([signal, settle]));
    await Promise.race([ended, stay.catch(() => {})]);
    if (settle.aborted && !signal.aborted) await Promise.race([ended, untilAborted(signal)]);
    if (socket.readyState === WebSocket.OPEN) socket.close(1000);
    await within(ended, { explain: () => "no end after a goodbye", timeoutMs: 60_000 });
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function configFor(dir: string): object {
  return {
    state: { dir },
    auth: { tokens: [{ name: "all", token: TOKEN, channels: ["*"], publish: true }] },
    // Some who are away for long miss what is no longer there, and have to be told so.
    hub: { heartbeat_every: "1s", history_messages: 300, outbox_messages: 1000 },
    shutdown: { drain: "1s", reconnect_within: "500ms" },
  };
}
