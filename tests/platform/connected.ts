import { assert } from "../support/assert.ts";
import { addressKey } from "../../src/platform/socket_address.ts";

/** Both ends of one connection to a listener. */
export async function connected(listener: Deno.TcpListener) {
  const [server, client] = await Promise.all([
    listener.accept(),
    Deno.connect({ hostname: listener.addr.hostname, port: listener.addr.port }),
  ]);
  return {
    server,
    client,
    key: addressKey(client.localAddr),
    [Symbol.dispose]() {
      for (const end of [server, client]) {
        try {
          end.close();
        } catch {
          // A test closed it.
        }
      }
    },
  };
}

export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

export async function readExactly(conn: Deno.Conn, buffer: Uint8Array): Promise<void> {
  for (let at = 0; at < buffer.length;) {
    const read = await conn.read(buffer.subarray(at));
    assert(read !== null, "the connection ended too early");
    at += read;
  }
}
