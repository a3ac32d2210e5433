// deno-lint-ignore-file no-console -- the line that says where it listens
/** Refuses clients (`/door`) or publications (`/publish`), as its argument says. */
const [what] = Deno.args;

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`listening ${port}`),
}, (request) => {
  const isClient = request.method === "GET";
  if (isClient === (what === "/door")) return new Response("no", { status: 403 });
  return isClient ? Deno.upgradeWebSocket(request).response : new Response(null, { status: 204 });
});
