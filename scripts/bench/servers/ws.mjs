// deno-lint-ignore-file no-console -- the line that says where it listens
/** Node and `ws`, as its documentation has a broadcast: each client is sent the text. */
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [, , packages] = process.argv;
const { WebSocketServer } = createRequire(`${packages}/`)("ws");

const http = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const text = Buffer.concat(parts).toString();
  for (const client of sockets.clients) client.send(text);
  response.writeHead(204).end();
});
http.keepAliveTimeout = 0; // the publisher's connection may rest
const sockets = new WebSocketServer({ server: http });
http.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
  console.log(`listening ${http.address().port}`);
});
