/** TCP servers that misbehave on purpose, on loopback, gone with the test that made them. */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface RawServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Connections accepted so far. */
  readonly accepted: number;
}

/** Answers every connection with `handle`; the connection is closed when that returns. */
export function rawServer(handle: (conn: Deno.Conn) => Promise<unknown>): RawServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const open = new Map<Deno.Conn, Promise<unknown>>();
  let accepted = 0;
  const accepting = (async () => {
    for await (const conn of listener) {
      accepted += 1;
      const handled = handle(conn).catch(() => {}).finally(() => {
        open.delete(conn);
        close(conn);
      });
      open.set(conn, handled);
    }
  })();
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    get accepted() {
      return accepted;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      const handled = [...open.values()];
      for (const conn of open.keys()) close(conn);
      await Promise.all(handled);
    },
  };
}

/** A server that reads each request and writes the same text, closing the connection. */
export function replying(...texts: (string | Uint8Array)[]): RawServer {
  return rawServer(async (conn) => {
    if (await readRequest(conn) === undefined) return;
    for (const text of texts) await write(conn, text);
  });
}

/** A server that answers everything with 1 and keeps what it was asked. */
export function recording(): { server: RawServer; requests: string[] } {
  const requests: string[] = [];
  const server = rawServer(async (conn) => {
    const request = await readRequest(conn);
    if (request === undefined) return;
    requests.push(request);
    await write(conn, httpAnswer("200 OK", "1"));
  });
  return { server, requests };
}

/** A whole answer with a JSON body and this status line. */
export function httpAnswer(status: string, body: string | Uint8Array, headers = ""): Uint8Array {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  const head = encoder.encode(
    `HTTP/1.1 ${status}\r\nContent-Length: ${bytes.length}\r\n${headers}\r\n`,
  );
  return concat([head, bytes]);
}

/** Reads one request, head and body; `undefined` once the peer has closed. */
export async function readRequest(conn: Deno.Conn): Promise<string | undefined> {
  let text = "";
  const chunk = new Uint8Array(16384);
  for (;;) {
    const end = text.indexOf("\r\n\r\n");
    if (end >= 0) {
      const length = Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? 0);
      if (text.length >= end + 4 + length) return text;
    }
    const count = await conn.read(chunk);
    if (count === null) return undefined;
    text += decoder.decode(chunk.subarray(0, count));
  }
}

/** Resolves once the peer has closed the connection or reset it. */
export async function untilClosed(conn: Deno.Conn): Promise<void> {
  const chunk = new Uint8Array(1024);
  try {
    while (await conn.read(chunk) !== null);
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  }
}

export async function write(conn: Deno.Conn, text: string | Uint8Array): Promise<void> {
  let rest = typeof text === "string" ? encoder.encode(text) : text;
  while (rest.length > 0) rest = rest.subarray(await conn.write(rest));
}

/** A port on which nothing listens. */
export function closedPort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

/** Gzipped bytes. */
export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const zipped = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(zipped).arrayBuffer());
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // closed before
  }
}
