import type { Chance } from "../seed.ts";
import {
  ACK,
  concat,
  END_HEADERS,
  END_STREAM,
  type Frame,
  frame,
  FrameReader,
  grpcMessage,
  headerBlock,
  PREFACE_BYTES,
  settings,
  TYPE,
} from "./frames.ts";
import { MISDEEDS } from "./misdeeds.ts";

/** One client's connection, as a misdeed sees it. */
export interface Victim {
  readonly chance: Chance;
  /** The next request's stream. Rejects once the connection is gone. */
  request(): Promise<number>;
  /** Rejects once the connection is gone. */
  send(...parts: readonly Uint8Array[]): Promise<void>;
  /** The whole of a right answer, or its beginning. */
  answer(stream: number, part?: "head" | "half" | "whole"): Uint8Array;
  /** Sends FIN and goes on reading. */
  halfClose(): Promise<void>;
  /** Waits; ends early once the connection is gone. */
  pause(ms: number): Promise<void>;
}

export interface HostilePeer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Connections accepted so far. */
  readonly connections: number;
  /** How often each misdeed was done. */
  readonly done: ReadonlyMap<string, number>;
}

export interface HostilePeerOptions {
  chance: Chance;
  /** Certificate and key, for TLS. */
  tls?: { cert: string; key: string };
  /** Names of the misdeeds to do. Default: all. */
  only?: readonly string[];
}

/** Longest a connection is kept, in milliseconds: most misdeeds end by their victim giving up. */
const CONNECTION_MS = 500;

/** A gRPC server that speaks HTTP/2 by hand and treats each connection badly in another way. */
export function hostilePeer(options: HostilePeerOptions): HostilePeer {
  const { chance, tls, only } = options;
  const names = Object.keys(MISDEEDS).filter((name) => only?.includes(name) ?? true);
  const at = { hostname: "127.0.0.1", port: 0 };
  const listener = tls ? Deno.listenTls({ ...at, ...tls, alpnProtocols: ["h2"] }) : Deno.listen(at);
  const { port } = listener.addr as Deno.NetAddr;
  const done = new Map<string, number>();
  const open = new Map<Deno.Conn, Promise<void>>();
  let connections = 0;
  const accept = async () => {
    for (;;) {
      const conn = await listener.accept().catch((error) => error);
      if (conn instanceof Deno.errors.BadResource || conn instanceof Deno.errors.Interrupted) {
        return;
      }
      if (conn instanceof Error) continue;
      connections += 1;
      // Each in its turn, each with chance of its own: a seed means the same whoever is faster.
      const name = names[connections % names.length] ?? "";
      done.set(name, (done.get(name) ?? 0) + 1);
      const treated = treat(conn, name, chance.fork()).finally(() => {
        open.delete(conn);
        close(conn);
      });
      open.set(conn, treated);
    }
  };
  const accepting = accept();
  return {
    port,
    url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
    done,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      const treated = [...open.values()];
      for (const conn of open.keys()) close(conn);
      await Promise.all(treated);
    },
  };
}

async function treat(conn: Deno.Conn, name: string, chance: Chance): Promise<void> {
  const over = new AbortController();
  const deadline = setTimeout(() => over.abort(), CONNECTION_MS);
  const requests: number[] = [];
  let wake = () => {};
  const reading = read(conn, (frame) => {
    if (frame.type === TYPE.headers) requests.push(frame.stream);
    wake();
  }).catch(() => {}).finally(() => over.abort());
  over.signal.addEventListener("abort", () => wake());
  const send = async (...parts: readonly Uint8Array[]) => {
    const bytes = concat(parts);
    // Now and then in small pieces: a frame may come in two reads.
    const step = chance.percent(20) ? Math.max(1, Math.ceil(chance.between(1, 50))) : bytes.length;
    const pieces = step * 20 < bytes.length ? bytes.length : step;
    for (let from = 0; from < bytes.length; from += pieces) {
      let rest = bytes.subarray(from, from + pieces);
      while (rest.length > 0) {
        if (over.signal.aborted) throw new Error("gone");
        rest = rest.subarray(await conn.write(rest));
      }
    }
  };
  const victim: Victim = {
    chance,
    send,
    answer: rightAnswer,
    async request() {
      while (requests.length === 0) {
        if (over.signal.aborted) throw new Error("gone");
        await new Promise<void>((resolve) => wake = resolve);
      }
      return requests.shift() ?? 1;
    },
    halfClose: () => conn.closeWrite(),
    pause: (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        over.signal.addEventListener("abort", () => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
  const stuck = new Promise<void>((resolve) =>
    over.signal.addEventListener("abort", () => resolve())
  );
  try {
    // A write to a victim that does not read ends with the connection alone.
    await Promise.race([MISDEEDS[name]?.(victim), stuck]);
  } catch {
    // the victim has gone, which is its right
  }
  clearTimeout(deadline);
  over.abort();
  close(conn);
  await reading;
}

/** Reads frames until the end; SETTINGS of the victim are left to the misdeed to answer. */
async function read(conn: Deno.Conn, onFrame: (frame: Frame) => void): Promise<void> {
  const reader = new FrameReader();
  const chunk = new Uint8Array(16_384);
  let toSkip = PREFACE_BYTES;
  for (;;) {
    const count = await conn.read(chunk);
    if (count === null) return;
    const skipped = Math.min(toSkip, count);
    toSkip -= skipped;
    for (const each of reader.feed(chunk.subarray(skipped, count))) onFrame(each);
  }
}

/** `disk_name: "sda"` of the tests' `Sample`. */
const MESSAGE = new Uint8Array([0x0a, 3, 0x73, 0x64, 0x61]);

export const GREETING: Uint8Array = concat([settings(), frame(TYPE.settings, ACK, 0)]);

function rightAnswer(stream: number, part: "head" | "half" | "whole" = "whole"): Uint8Array {
  const head = frame(
    TYPE.headers,
    END_HEADERS,
    stream,
    headerBlock([[":status", "200"], ["content-type", "application/grpc+proto"]]),
  );
  if (part === "head") return head;
  const data = grpcMessage(MESSAGE);
  if (part === "half") return concat([head, frame(TYPE.data, 0, stream, data.subarray(0, 7))]);
  const trailers = frame(
    TYPE.headers,
    END_HEADERS | END_STREAM,
    stream,
    headerBlock([["grpc-status", "0"]]),
  );
  return concat([head, frame(TYPE.data, 0, stream, data), trailers]);
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // closed before
  }
}
