/**
 * The thread that serves clients, with words that do it harm: an event of which the title is `hang`
 * has it stand still until it is given up, `pause` for some seconds, `throw` has it meet an error that nobody
 * catches, `poison` is what it cannot take. Which of the threads obeys is the one named in the
 * event's body. With `?doomed=FILE` in its address a thread notes its start in that file, and ends
 * before it has begun while the file's first line is `doomed`.
 */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { ClientThread } from "../../src/workers/client_thread.ts";
import type { ToThread } from "../../src/workers/messages.ts";

/** The runtime cannot end a thread that does not come back to it. */
const STANDS_MS: Readonly<Record<string, number>> = { hang: 12_000, pause: 3000 };

const doomed = new URL(import.meta.url).searchParams.get("doomed");
if (doomed !== null) {
  Deno.writeTextFileSync(doomed, `${self.name}\n`, { append: true });
  if (Deno.readTextFileSync(doomed).startsWith("doomed")) throw new Error("this thread is doomed");
}

const { take } = ClientThread.prototype;
ClientThread.prototype.take = function (message: ToThread): void {
  const word = message.kind === "broadcast" && message.frame.type === "notification"
    ? JSON.parse(message.frame.data)
    : {};
  const isMeant = word.body === self.name;
  if (isMeant && word.title === "poison") throw new Error("cannot take this");
  take.call(this, message);
  if (isMeant && word.title === "throw") {
    setTimeout(() => { // nobody holds it
      throw new Error("harm");
    });
  }
  const until = performance.now() + (isMeant && STANDS_MS[word.title] || 0);
  while (performance.now() < until);
};

await import("../../src/workers/thread.ts");
