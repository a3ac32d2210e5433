/** For servers that cannot be asked for any port: one that was free a moment ago has to do. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
