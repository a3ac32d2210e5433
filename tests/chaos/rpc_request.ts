import type { Request } from "../support/rpc_backend_modes.ts";

const decoder = new TextDecoder();

/** Bytes read at a time while looking for the end of a request's head: fewer than any body has. */
const HEAD_CHUNK = 32;

/**
 * Reads a JSON-RPC request all but its last byte, so that closing the connection without reading
 * that makes the kernel send a reset; `undefined` at the end of the connection.
 */
export async function readRequest(connection: Deno.Conn): Promise<Request | undefined> {
  let text = "";
  const chunk = new Uint8Array(HEAD_CHUNK);
  while (!text.includes("\r\n\r\n")) {
    const count = await connection.read(chunk);
    if (count === null) return undefined;
    text += decoder.decode(chunk.subarray(0, count));
  }
  const bodyAt = text.indexOf("\r\n\r\n") + 4;
  const length = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0);
  const byte = new Uint8Array(1);
  while (text.length - bodyAt < length - 1) {
    const rest = new Uint8Array(length - 1 - (text.length - bodyAt));
    const count = await connection.read(rest);
    if (count === null) throw new Error("the request broke off");
    text += decoder.decode(rest.subarray(0, count));
  }
  const body = text.slice(bodyAt);
  return {
    id: Number(/"id":(\d+)/.exec(body)?.[1]),
    method: /"method":"([^"]+)"/.exec(body)?.[1] ?? "",
    readLast: () => connection.read(byte),
  };
}
