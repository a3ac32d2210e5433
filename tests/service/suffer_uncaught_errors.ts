/**
 * A program in which errors happen that nobody catches, run by `mishaps_test.ts`: `guarded` against
 * them, `unguarded`, or guarded only `before` them. Prints their number if it gets so far.
 */
import { once } from "node:events";
import net from "node:net";
import { UncaughtErrors } from "../../src/service/uncaught_errors.ts";
import { startLogs } from "../../src/telemetry/log.ts";

const [how] = Deno.args;
startLogs({ level: "info", format: "json" });
const uncaughtErrors = how === "unguarded" ? undefined : new UncaughtErrors();
if (how === "before") uncaughtErrors?.[Symbol.dispose]();

void Promise.reject(new Error("a promise of nobody"));
await new Promise((resolve) => setTimeout(resolve));

setTimeout(() => {
  throw new TypeError("a callback of nobody");
});
await new Promise((resolve) => setTimeout(resolve, 10));

const server = net.createServer().listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as net.AddressInfo;
server.close();
await once(server, "close");
const { promise: closed, resolve } = Promise.withResolvers<void>();
net.connect(port, "127.0.0.1").on("close", () => resolve()); // nobody listens to its "error"
await closed;

await Deno.stdout.write(new TextEncoder().encode(String(uncaughtErrors?.count)));
Deno.exit(0);
