import { Semaphore } from "../../resilience/semaphore.ts";
import type { Outcome, Unavailable } from "../backend.ts";
import type { HttpAnswer } from "./http_client.ts";
import { jsonBodyOf, statusOutcome } from "./http_outcome.ts";
import { isSuccess } from "./http_status.ts";
import { JSON_RPC_MEMBERS, outcomeOfReply, readJsonRpcReply } from "./json_rpc_reply.ts";
import { readJson } from "./read_json.ts";
import { onAbort } from "../../resilience/on_abort.ts";

export interface JsonRpcBatchesOptions {
  /** Requests at a time. */
  maxInFlight: number;
  /** Sends one request's body. */
  post: (body: string, options: { signal: AbortSignal }) => Promise<HttpAnswer | Unavailable>;
}

/** One encoded call. */
export interface BatchCall {
  readonly id: number;
  readonly text: string;
}

interface WaitingCall extends BatchCall {
  readonly signal: AbortSignal;
  readonly settle: (outcome: Outcome) => void;
}

/** How long a call waits for others to go with it, in milliseconds: what is due at one time. */
const WINDOW_MS = 10;

/** Most calls of one request; further ones go into another. */
const MAX_CALLS = 100;

/** Requests that wait for their turn; each holds up to `MAX_CALLS` sources, so that there are few. */
const MAX_WAITING = 1000;

const CLOSED: Outcome = { kind: "unavailable", reason: "the backend was closed" };

const NO_BATCHES = `the server takes no batches: set "batch": false`;

/** Gathers calls that are made at the same time into requests (JSON-RPC 2.0, section 6). */
export class JsonRpcBatches implements Disposable {
  readonly #post: JsonRpcBatchesOptions["post"];
  readonly #inFlight: Semaphore;
  /** Calls that wait for the window's end: at most one a source. */
  #gathered: WaitingCall[] = [];
  #window: ReturnType<typeof setTimeout> | undefined;

  constructor(options: JsonRpcBatchesOptions) {
    this.#post = options.post;
    this.#inFlight = new Semaphore({ permits: options.maxInFlight, maxWaiting: MAX_WAITING });
  }

  /** @throws The signal's reason, when it is aborted. */
  call(call: BatchCall, options: { signal: AbortSignal }): Promise<Outcome> {
    const { signal } = options;
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const wait = onAbort(signal, () => reject(signal.reason));
      this.#gathered.push({
        ...call,
        signal,
        settle: (outcome) => {
          wait[Symbol.dispose]();
          resolve(outcome);
        },
      });
      this.#window ??= setTimeout(() => this.#flush(), WINDOW_MS);
    });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#window);
    for (const { settle } of this.#gathered.splice(0)) settle(CLOSED);
  }

  #flush(): void {
    this.#window = undefined;
    const entries = this.#gathered.filter(({ signal }) => !signal.aborted);
    this.#gathered = [];
    for (let at = 0; at < entries.length; at += MAX_CALLS) {
      void this.#send(entries.slice(at, at + MAX_CALLS));
    }
  }

  async #send(entries: readonly WaitingCall[]): Promise<void> {
    using abandoned = new AllAborted(entries.map(({ signal }) => signal));
    try {
      using slot = await this.#inFlight.acquire({ signal: abandoned.signal });
      const outcomes = slot === undefined
        ? entries.map(() => CLOSED)
        : await this.#ask(entries, abandoned.signal);
      entries.forEach(({ settle }, index) => settle(outcomes[index] ?? CLOSED));
    } catch {
      // Nobody waits any more; should it be anything else, no call may be left without an end.
      for (const { settle } of entries) settle(CLOSED);
    }
  }

  async #ask(entries: readonly WaitingCall[], signal: AbortSignal): Promise<Outcome[]> {
    const [only] = entries;
    const isAlone = entries.length === 1 && only !== undefined;
    const texts = entries.map(({ text }) => text).join(",");
    const answer = await this.#post(isAlone ? texts : `[${texts}]`, { signal });
    const all = (outcome: Outcome) => entries.map(() => outcome);
    if (answer.kind === "unavailable") return all(answer);
    const options = { signal, members: JSON_RPC_MEMBERS, maxElements: entries.length };
    const json = await jsonBodyOf(answer, options);
    if (!isSuccess(answer.status)) {
      const said = json.kind === "json"
        ? readJsonRpcReply(json.scanned, entries[0]?.id ?? 0)
        : json;
      const detail = said.kind === "error"
        ? `JSON-RPC error ${said.code}: ${said.message}`
        : undefined;
      const outcome = statusOutcome(answer, detail);
      if (outcome.kind === "unavailable" || isAlone) return all(outcome);
      return all({ ...outcome, reason: `${outcome.reason} (perhaps ${NO_BATCHES})` });
    }
    if (json.kind === "unavailable") return all(json);
    const { scanned } = json;
    if (isAlone && scanned.kind !== "list") {
      return [outcomeOfReply(readJsonRpcReply(scanned, only.id))];
    }
    if (scanned.kind !== "list") {
      const reply = readJsonRpcReply(scanned, entries[0]?.id ?? 0);
      const said = reply.kind === "error"
        ? ` (JSON-RPC error ${reply.code}: ${reply.message})`
        : "";
      return all({ kind: "rejected", reason: `${NO_BATCHES}${said}` });
    }
    return await assign(entries, scanned.elements, signal);
  }
}

/** Gives each call the answer with its id, wherever it stands. */
async function assign(
  entries: readonly WaitingCall[],
  elements: readonly string[],
  signal: AbortSignal,
): Promise<Outcome[]> {
  const outcomes = new Map<number, Outcome>();
  let nobodys: Outcome | undefined;
  const ids = new Set(entries.map(({ id }) => id));
  for (const element of elements) {
    const scanned = await readJson(element, { signal, members: JSON_RPC_MEMBERS });
    if (!scanned.ok) continue; // the whole was read already
    const idText = scanned.members.get("id") ?? "null";
    const id = idText.length < 20 ? Number(idText) : NaN;
    const reply = readJsonRpcReply(scanned, id);
    if (idText !== "null" && ids.has(id)) outcomes.set(id, outcomeOfReply(reply));
    else if (reply.kind === "error") nobodys ??= outcomeOfReply(reply);
  }
  const missing: Outcome = nobodys ??
    { kind: "unavailable", reason: "the answer to the batch has none for this call" };
  return entries.map(({ id }) => outcomes.get(id) ?? missing);
}

/** A signal that is aborted once all of these are; lets go of them when disposed of. */
class AllAborted implements Disposable {
  readonly #own = new AbortController();
  readonly #links: readonly Disposable[];

  constructor(signals: readonly AbortSignal[]) {
    this.#links = signals.map((signal) =>
      onAbort(signal, () => {
        if (signals.every(({ aborted }) => aborted)) this.#own.abort();
      })
    );
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  [Symbol.dispose](): void {
    for (const link of this.#links) link[Symbol.dispose]();
  }
}
