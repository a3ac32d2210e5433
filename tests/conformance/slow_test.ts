// @ts-types="../support/npm_ws.d.ts"
import NpmWebSocket from "ws";
import { assertEquals } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { text } from "../support/hub_bench.ts";
import { startApp, wsUrl } from "../support/hub_in_process.ts";
import { within } from "../support/until.ts";
import { CLOSES, configOf, TOKEN } from "./ended.ts";

/** `npm:ws` can stop reading, which no client with the browser's interface can. */
interface Pausable {
  pause(): void;
  resume(): void;
}

Deno.test("npm:ws that stops reading gets SLOW_CLIENT and close 1013 once it reads again", async () => {
  const config = configOf();
  await using app = await startApp({
    ...config,
    hub: { heartbeat_every: "100ms", outbox_messages: 4, stall_timeout: "10s" },
  });
  const socket = new NpmWebSocket(`${wsUrl(app)}?channels=notification&token=${TOKEN}`);
  const last: string[] = [];
  const welcomed = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  const decoder = new TextDecoder();
  socket.on("error", closed.reject);
  socket.on("close", (code, reason) => closed.resolve({ code, reason: decoder.decode(reason) }));
  socket.on("message", (data) => {
    const { type, data: inner } = JSON.parse(decoder.decode(data));
    last.splice(0, last.length, inner.code ?? type);
    welcomed.resolve();
  });
  await within(welcomed.promise, { explain: () => "no welcome" });
  await eventually("it is counted", () => app.hub.size === 1);
  (socket as unknown as Pausable).pause();
  const filler = text({ text: "x".repeat(60_000) });
  // As much as the kernel, both libraries and the outbox together do not hold.
  for (let nth = 0; nth < 2000 && app.hub.size > 0; nth++) {
    app.hub.broadcast("notification", filler);
    await new Promise((resolve) => setTimeout(resolve));
  }
  await eventually("it is found out", () => app.hub.size === 0);
  (socket as unknown as Pausable).resume();
  const end = await within(closed.promise, { explain: () => "it was not closed" });
  assertEquals(end, CLOSES.slow);
  assertEquals(last, ["SLOW_CLIENT"]);
});
