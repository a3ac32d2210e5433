import { simplePeer } from "./simple.ts";

/** One `write(2)` a client, in C: the limit of the machine for one frame a message. */
export const floor = simplePeer({
  name: "floor",
  label: "floor (C)",
  prepare: ({ native }) =>
    Promise.resolve({ command: [native.floor], version: `own C, ${native.compiler}` }),
});
