/**
 * A process full of well-behaved clients that count what they are told. Prints `{"connected":N}`
 * when all have been welcomed, and a tally when all connections have ended.
 *
 * Arguments: the hub's WebSocket address and the number of clients.
 */
import type { Tally } from "./crowd.ts";

/** Handshakes under way at one time: more would only wait in the listening socket's queue. */
const AT_ONCE = 64;

const [url = "", count = "0"] = Deno.args;
const tally: Tally = { frames: 0, codes: {}, closes: {}, waits: [] };
const ended: Promise<void>[] = [];

function bump(counts: Record<string, number>, key: string | number): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

function connect(): Promise<void> {
  const socket = new WebSocket(url);
  const welcomed = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  ended.push(gone.promise);
  socket.onmessage = ({ data: text }) => {
    const { type, data } = JSON.parse(text);
    tally.frames += 1;
    if (type === "welcome") welcomed.resolve();
    if (typeof data.code === "string") bump(tally.codes, data.code);
    if (data.code === "SERVER_SHUTDOWN") tally.waits.push(data.data.reconnect_after_ms);
  };
  socket.onerror = () => {}; // the close that follows tells it all
  socket.onclose = ({ code, wasClean }) => {
    bump(tally.closes, wasClean ? code : `broken ${code}`);
    welcomed.resolve();
    gone.resolve();
  };
  return welcomed.promise;
}

let left = Number(count);
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (left > 0) {
      left -= 1;
      await connect();
    }
  }),
);

function print(value: object): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
}

print({ connected: ended.length - Object.values(tally.closes).reduce((sum, n) => sum + n, 0) });
await Promise.all(ended);
print(tally);
