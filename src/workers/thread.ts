/**
 * The thread that serves clients, as it is started: see `client_thread.ts`.
 */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { systemClock } from "../resilience/clock.ts";
import { ClientThread } from "./client_thread.ts";
import { MessageWriter } from "./message_writer.ts";
import type { Batch, FromThread, ToThread } from "./messages.ts";
import { faultOf } from "./serving_thread.ts";

const writer = new MessageWriter<FromThread>(self);
let thread: ClientThread | undefined;

// An uncaught error has stopped one piece of work: the clients of this thread need not go.
self.addEventListener("error", (event) => {
  event.preventDefault();
  writer.post({ kind: "mishap", why: event.message });
});
self.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  writer.post({ kind: "mishap", why: String(event.reason) });
});

self.onmessage = ({ data: { messages, weight } }: MessageEvent<Batch<ToThread>>) => {
  try {
    for (const message of messages) {
      if (message.kind === "start") void begin(message.start);
      else thread?.take(message);
    }
    thread?.took(weight);
  } catch (error) {
    // Clients here would miss what was said, untold: they go on elsewhere, and miss nothing.
    writer.post({ kind: "failed", fault: faultOf(error) });
  }
};

async function begin(start: Extract<ToThread, { kind: "start" }>["start"]): Promise<void> {
  try {
    thread = new ClientThread(start, { clock: systemClock, writer });
    await thread.listen();
  } catch (error) {
    writer.post({ kind: "failed", fault: faultOf(error) });
  }
}

writer.post({ kind: "hello", now: systemClock.now() });
