/**
 * The thread that serves clients, with words that do it harm: an event of which the title is `hang`
 * has it stand still, `throw` has it meet an error that nobody catches. Which of the threads obeys
 * is the one named in the event's body.
 */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import "../../src/workers/thread.ts";
import type { Batch, ToThread } from "../../src/workers/messages.ts";

self.addEventListener("message", ({ data }: MessageEvent<Batch<ToThread>>) => {
  for (const message of data.messages) {
    if (message.kind !== "broadcast" || message.frame.type !== "notification") continue;
    const { title, body } = JSON.parse(message.frame.data);
    if (body !== self.name) continue;
    if (title === "throw") {
      setTimeout(() => {
        throw new Error("harm");
      }); // nobody holds it
    }
    // The runtime cannot end a thread that does not come back to it.
    for (const until = performance.now() + 20_000; title === "hang" && performance.now() < until;);
  }
});
