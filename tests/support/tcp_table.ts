/**
 * Whether the kernel still has a connection from `peerPort` to `localPort` of this machine, in
 * whatever state, as its server's side sees it. Linux only.
 */
export function hasConnection(localPort: number, peerPort: number): boolean {
  const [, ...rows] = Deno.readTextFileSync("/proc/net/tcp").trimEnd().split("\n");
  return rows.some((row) => {
    const [, local = "", peer = ""] = row.trim().split(/\s+/);
    return portOf(local) === localPort && portOf(peer) === peerPort;
  });
}

/** Waits until the connection is gone; resolves with the milliseconds that took. */
export async function connectionGone(
  localPort: number,
  peerPort: number,
  timeoutMs: number,
): Promise<number> {
  const begun = performance.now();
  while (hasConnection(localPort, peerPort)) {
    const tookMs = performance.now() - begun;
    if (tookMs > timeoutMs) throw new Error(`the connection is still there after ${tookMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return performance.now() - begun;
}

/** The port of an address such as `0100007F:1F90`. */
function portOf(address: string): number {
  return parseInt(address.split(":")[1] ?? "", 16);
}
