/**
 * A backend in a process of its own, made to be halted: every value says when it was given. Prints
 * its address. Ends when its input does.
 */
let n = 0;

/** So long that a change of `n` and `at` is shorter than the value. */
const PADDING = "x".repeat(300);

const server = Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => {
    // deno-lint-ignore no-console -- read by whoever started it
    console.log(`http://127.0.0.1:${port}/rpc`);
  },
}, async (request) => {
  const { id, method } = await request.json();
  n += 1;
  const result = { method, padding: PADDING, n, at: Date.now() };
  return Response.json({ jsonrpc: "2.0", id, result });
});

for await (const _ of Deno.stdin.readable);
await server.shutdown();
