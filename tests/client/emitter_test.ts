import { assertEquals } from "../support/assert.ts";
import { Emitter } from "../../src/client/emitter.ts";

Deno.test("Emitter calls listeners in order until each is taken off, by function or signal", () => {
  const emitter = new Emitter<{ ping: number }>();
  const heard: string[] = [];
  const abort = new AbortController();
  const off = emitter.on("ping", (n) => heard.push(`a${n}`));
  emitter.on("ping", (n) => heard.push(`b${n}`), { signal: abort.signal });
  emitter.emit("ping", 1);
  off();
  emitter.emit("ping", 2);
  abort.abort();
  assertEquals(emitter.has("ping"), false);
  emitter.on("ping", () => heard.push("never"), { signal: abort.signal });
  emitter.emit("ping", 3);
  assertEquals(heard, ["a1", "b1", "b2"]);
});

Deno.test("Emitter lets no listener's fault stop the others, nor swallows it", async () => {
  const emitter = new Emitter<{ ping: number }>();
  const heard: number[] = [];
  const fault = new Error("a listener's own");
  const uncaught = new Promise<unknown>((resolve) => {
    addEventListener("error", (event) => {
      event.preventDefault();
      resolve(event.error);
    }, { once: true });
  });
  emitter.on("ping", () => {
    throw fault;
  });
  emitter.on("ping", (n) => heard.push(n));
  emitter.emit("ping", 1);
  assertEquals(heard, [1]);
  assertEquals(await uncaught, fault);
});
