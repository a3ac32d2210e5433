// deno-lint-ignore-file no-console -- the line that says where it listens
/** The control: `Deno.serve` and a loop over all sockets, and nothing else. */
const sockets = new Set<WebSocket>();

/** Frames that each client is sent as it comes, as the argument says: what a hub's welcome weighs. */
const greetings = new Array<string>(Number(Deno.args[0] ?? 0)).fill("x".repeat(1100));

async function handle(request: Request): Promise<Response> {
  if (request.method === "POST") {
    const text = await request.text();
    for (const socket of sockets) socket.send(text);
    return new Response(null, { status: 204 });
  }
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onopen = () => {
    sockets.add(socket);
    for (const greeting of greetings) socket.send(greeting);
  };
  socket.onclose = () => sockets.delete(socket);
  return response;
}

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`listening ${port}`),
}, handle);
