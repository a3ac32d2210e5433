// deno-lint-ignore-file no-console -- the line that says where it listens
/** Bun's own publish: each client subscribes to a topic, the rest is native. */
const TOPIC = "bench";

const server = globalThis.Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request, self) {
    if (request.method === "POST") {
      self.publish(TOPIC, await request.text());
      return new Response(null, { status: 204 });
    }
    return self.upgrade(request) ? undefined : new Response("upgrade, please", { status: 426 });
  },
  websocket: {
    open: (socket) => socket.subscribe(TOPIC),
    message() {},
  },
});
console.log(`listening ${server.port}`);
