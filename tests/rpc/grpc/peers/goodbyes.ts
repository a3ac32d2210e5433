/**
 * A grpc-js server that shuts down and comes back on its port, again and again: `goodbyes.ts COUNT
 * [PORT]`.
 * Prints the port, then a line after each goodbye; half are `tryShutdown`, half `forceShutdown`.
 */
import { Buffer } from "node:buffer";
import * as grpc from "@grpc/grpc-js";

const count = Number(Deno.args[0]);
const encoder = new TextEncoder();
const say = (text: string) => Deno.stdout.writeSync(encoder.encode(`${text}\n`));
/** `disk_name: "sda"` of the tests' `Sample`. */
const SAMPLE = Buffer.from([0x0a, 3, 0x73, 0x64, 0x61]);
const pass = (bytes: Buffer) => bytes;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const LEAST_ASKED = 5;
let asked = 0;

function makeServer(): grpc.Server {
  const server = new grpc.Server();
  server.addService({
    Describe: {
      path: "/holdfast.lab.v1.Lab/Describe",
      requestStream: false,
      responseStream: false,
      requestSerialize: pass,
      requestDeserialize: pass,
      responseSerialize: pass,
      responseDeserialize: pass,
    },
  }, {
    // Some answers are under way when the goodbye comes.
    Describe: (_call: unknown, answer: grpc.sendUnaryData<Buffer>) => {
      asked += 1;
      setTimeout(() => answer(null, SAMPLE), Math.random() * 20);
    },
  });
  return server;
}

let port = Number(Deno.args[1] ?? 0);
for (let at = 0; at < count; at++) {
  const server = makeServer();
  port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(
      `127.0.0.1:${port}`,
      grpc.ServerCredentials.createInsecure(),
      (error, bound) => error ? reject(error) : resolve(bound),
    )
  );
  if (at === 0) say(String(port));
  // Each life is one that was asked something.
  for (asked = 0; asked < LEAST_ASKED;) await pause(5);
  await pause(Math.random() * 100);
  if (at % 2 === 0) await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  else server.forceShutdown();
  say("goodbye");
}
