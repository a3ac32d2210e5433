import { serverFile, simplePeer } from "./simple.ts";

/** Bare Deno: the limit of the runtime that Holdfast runs on. */
export const control = simplePeer({
  name: "control",
  label: "bare Deno",
  prepare: () =>
    Promise.resolve({
      command: [Deno.execPath(), "run", "--no-prompt", "--allow-net", serverFile("bare.ts")],
      version: `Deno ${Deno.version.deno}`,
    }),
});
