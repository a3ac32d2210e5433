/** The ways in which {@linkcode RpcBackend} answers a call. */
export const MODES = [
  "ok",
  /** Takes the request and never answers. */
  "hang",
  /** Resets the connection. */
  "reset",
  /** A correct answer at a few bytes a second. */
  "drip",
  /** Bytes that are not HTTP. */
  "garbage",
  /** A page of HTML with status 200, as a proxy in between would answer. */
  "html",
  /** A body far too large that says so in its head. */
  "huge_announced",
  /** A body without end that does not. */
  "huge_chunked",
  "http_500",
  "http_429",
  /** A JSON-RPC error: the backend is well, the question is not. */
  "rpc_error",
  /** Closes the connection halfway through the body. */
  "truncated",
] as const;

export type Mode = typeof MODES[number];

export interface Request {
  readonly id: number;
  readonly method: string;
  /** Takes the request's last byte, left unread so far. */
  readonly readLast: () => Promise<unknown>;
}

const encoder = new TextEncoder();

const HUGE_BYTES = 64 * 1024 * 1024;

/** Answers one request; "close" if the connection is of no use any more. */
export async function answer(
  connection: Deno.Conn,
  mode: Mode,
  request: Request,
  value: object,
  signal: AbortSignal,
): Promise<"keep" | "close"> {
  if (mode === "reset") return "close";
  await request.readLast();
  const result = JSON.stringify({ jsonrpc: "2.0", id: request.id, result: value });
  switch (mode) {
    case "ok":
      await send(connection, response(200, result));
      return "keep";
    case "hang":
      await ended(connection);
      return "close";
    case "drip":
      for (const character of response(200, result)) {
        await send(connection, character);
        await sleep(100, signal);
      }
      return "keep";
    case "garbage":
      await send(connection, "\x00\x01\x02 not HTTP at all \u{fffd}\r\n\r\n");
      return "close";
    case "html":
      await send(connection, response(200, "<!doctype html><h1>Login</h1>", "text/html"));
      return "keep";
    case "huge_announced":
      await send(connection, head(200, "application/json", `content-length: ${HUGE_BYTES}`));
      await send(connection, "[");
      await ended(connection);
      return "close";
    case "huge_chunked": {
      await send(
        connection,
        head(200, "application/json", "transfer-encoding: chunked") + "1\r\n[\r\n",
      );
      const chunk = `10000\r\n${" ".repeat(0x10000)}\r\n`;
      for (;;) await send(connection, chunk); // ends when the other side has had enough
    }
    case "http_500":
      await send(connection, response(500, "out of order", "text/plain"));
      return "keep";
    case "http_429":
      await send(connection, response(429, "not so fast", "text/plain"));
      return "keep";
    case "rpc_error": {
      const error = { code: -32601, message: "Method not found" };
      await send(
        connection,
        response(200, JSON.stringify({ jsonrpc: "2.0", id: request.id, error })),
      );
      return "keep";
    }
    case "truncated":
      await send(connection, response(200, result).slice(0, -10));
      return "close";
  }
}

const TEXTS: Readonly<Record<number, string>> = {
  200: "OK",
  429: "Too Many Requests",
  500: "Internal Server Error",
};

function response(status: number, body: string, type = "application/json"): string {
  return head(status, type, `content-length: ${body.length}`) + body;
}

function head(status: number, type: string, framing: string): string {
  return `HTTP/1.1 ${status} ${TEXTS[status]}\r\ncontent-type: ${type}\r\n${framing}\r\n\r\n`;
}

async function send(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Resolves when the other side gives up or the backend is stopped. */
async function ended(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(1024);
  while (await connection.read(buffer) !== null);
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
