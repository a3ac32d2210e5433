/**
 * Put into a hub's process by `mishap_test.ts`: from SIGUSR2 on makes errors there that nobody
 * catches, on and on.
 */
const EVERY_MS = 20;

Deno.addSignalListener("SIGUSR2", () => {
  setInterval(() => void Promise.reject(new Error("a promise of nobody")), EVERY_MS);
  setInterval(() => {
    throw new Error("a callback of nobody");
  }, EVERY_MS);
});
