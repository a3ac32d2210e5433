/**
 * Below what the system hands out to outgoing connections and to `port: 0`, so that nobody takes the
 * port of a server that a test has ended for a while.
 */
const FIRST = 20_000;
const LAST = 32_000;
const TRIES = 1_000;

/** A port of 127.0.0.1 on which nothing listens, for servers that cannot choose one themselves. */
export function freePort(): number {
  const [port = 0] = freePorts(1);
  return port;
}

/** As many such ports, no two the same. */
export function freePorts(count: number): number[] {
  const held = new Map<number, Deno.TcpListener>();
  try {
    for (let left = TRIES; held.size < count; left--) {
      if (left === 0) throw new Error(`no ${count} free ports from ${FIRST} to ${LAST}`);
      hold(held, FIRST + Math.floor(Math.random() * (LAST - FIRST)));
    }
    return [...held.keys()];
  } finally {
    for (const listener of held.values()) listener.close();
  }
}

/** Listens on a port, if nobody does, so that it is not found twice. */
function hold(held: Map<number, Deno.TcpListener>, port: number): void {
  try {
    held.set(port, Deno.listen({ hostname: "127.0.0.1", port }));
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
  }
}
