// deno-lint-ignore-file no-console -- the line that says where it listens
/** Node and Socket.IO, over WebSocket alone. */
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [, , packages] = process.argv;
const { Server } = createRequire(`${packages}/`)("socket.io");

const http = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  io.emit("notification", JSON.parse(Buffer.concat(parts).toString()));
  response.writeHead(204).end();
});
http.keepAliveTimeout = 0; // the publisher's connection may rest
const io = new Server(http, { transports: ["websocket"], serveClient: false });
http.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
  console.log(`listening ${http.address().port}`);
});
