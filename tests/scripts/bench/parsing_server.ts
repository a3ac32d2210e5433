// deno-lint-ignore-file no-console -- the line that says where it listens
/** Takes messages as a string inside of JSON, refuses what is no JSON, and ends the connection of each. */
const sockets = new Set<WebSocket>();

async function handle(request: Request): Promise<Response> {
  if (request.method === "POST") {
    const { content } = await request.json();
    JSON.parse(content);
    for (const socket of sockets) socket.send(content);
    return new Response("Published\n", { headers: { Connection: "close" } });
  }
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onopen = () => sockets.add(socket);
  return response;
}

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`listening ${port}`),
}, handle);
