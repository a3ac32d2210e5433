import type { HubAddress } from "../../client/address.ts";
import type { HubAccess } from "../hub_access.ts";
import type { Clock } from "../../resilience/clock.ts";
import { ask, type Reply } from "./ask.ts";
import { type HeardFrame, ProbeSocket, type ProbeSocketOptions } from "./socket.ts";
import type { RawFrame } from "./shapes.ts";

/** What every check needs of the hub under test, and of the world. */
export interface ProbeContext {
  readonly address: HubAddress;
  readonly token: string | undefined;
  readonly access: HubAccess;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The most that one wait for the hub may take, in milliseconds. */
  readonly patienceMs: number;
}

/** Attempts to open one connection: the place of the one before may not be free yet. */
const OPEN_ATTEMPTS = 3;
const OPEN_AGAIN_MS = 300;

/** Opens a connection; `undefined` if the hub does not let it. One at a time, please. */
export async function open(
  context: ProbeContext,
  query: Readonly<Record<string, string>> = {},
  listeners: Pick<ProbeSocketOptions, "onFrame" | "onRubbish"> = {},
): Promise<ProbeSocket | undefined> {
  const { address, token, access, clock, signal, patienceMs } = context;
  const search = new URLSearchParams(query).toString();
  const url = search === "" ? address.socket : `${address.socket}?${search}`;
  for (let attempt = 1; attempt <= OPEN_ATTEMPTS && !signal.aborted; attempt++) {
    if (attempt > 1) await clock.sleep(OPEN_AGAIN_MS, { signal }).catch(() => {});
    const socket = new ProbeSocket(url, { token, access, clock, signal, patienceMs, ...listeners });
    if (await socket.opened()) return socket;
    await socket[Symbol.asyncDispose]();
  }
  return undefined;
}

/** Opens a connection and waits for its welcome; `undefined` if either does not come. */
export async function openWelcomed(
  context: ProbeContext,
  query: Readonly<Record<string, string>> = {},
): Promise<{ readonly socket: ProbeSocket; readonly welcome: RawFrame } | undefined> {
  const socket = await open(context, query);
  if (socket === undefined) return undefined;
  const heard = await socket.waitFor(({ type }) => type === "welcome", { from: 0 });
  if (heard) return { socket, welcome: heard.frame };
  await socket[Symbol.asyncDispose]();
  return undefined;
}

/** Asks one of the hub's paths with the token there is. */
export function askHub(
  { address, token, access, signal }: ProbeContext,
  path: string,
): Promise<Reply> {
  return ask(address, path, { token, access, signal });
}

/** How long to wait before saying again what a rate limit refused, in milliseconds. */
const RATE_PAUSE_MS = 1100;

/**
 * Sends a text and waits for the frame that answers it. A hub may allow as little as a message a
 * second: what it calls too much is said again, once.
 */
export async function converse(
  { clock, signal }: ProbeContext,
  socket: ProbeSocket,
  text: string,
  answers: (frame: RawFrame) => boolean,
): Promise<HeardFrame | undefined> {
  for (let attempt = 1;; attempt++) {
    const from = socket.count;
    socket.sendText(text);
    const heard = await socket.waitFor(
      (frame) => answers(frame) || codeOf(frame) === "RATE_LIMITED",
      { from },
    );
    if (heard === undefined || answers(heard.frame)) return heard;
    if (attempt === 2 || signal.aborted) return undefined;
    await clock.sleep(RATE_PAUSE_MS, { signal }).catch(() => {});
  }
}

/** The code of an error frame; `undefined` for any other. */
export function codeOf({ data }: RawFrame): string | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const { code } = data as { code?: unknown };
  return typeof code === "string" ? code : undefined;
}
