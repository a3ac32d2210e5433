/** What the tests of this room share. */
// @ts-types="../../src/std_types/deadline.d.ts"
import { deadline } from "@std/async/deadline";
import { assert } from "../support/assert.ts";
import { type Libc, openLibc } from "../../src/platform/libc.ts";

/** A bound on every wait here: reached only if what is waited for never comes. */
export const LONG_MS = 20_000;

export const LOOPBACK = { hostname: "127.0.0.1", port: 0 };

export function libcForTest(): Libc {
  const libc = openLibc();
  assert(!("unavailable" in libc), "unavailable" in libc ? libc.unavailable : "");
  return libc;
}

/** What this process's descriptors point at. */
export async function openDescriptors(): Promise<string[]> {
  const targets: string[] = [];
  for await (const { name } of Deno.readDir("/proc/self/fd")) {
    // The directory's own descriptor is gone by the time it is looked at.
    targets.push(await Deno.readLink(`/proc/self/fd/${name}`).catch(() => "gone"));
  }
  return targets;
}

export function until(isTrue: () => boolean): Promise<void> {
  return untilAsync(() => Promise.resolve(isTrue()));
}

/** Looks again and again until it is true. */
export async function untilAsync(isTrue: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + LONG_MS;
  while (!await isTrue()) {
    assert(performance.now() < giveUpAt, "it never became true");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Starts Python on a script; `line` is the first line it prints. Ended on disposal. */
export async function startPython(script: string) {
  const child = new Deno.Command("/usr/bin/python3", {
    args: ["-c", script],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await deadline(output.read(), LONG_MS);
    assert(!done, "it ended without a line");
    text += value;
  }
  const [line = "", ...early] = text.split("\n");
  return {
    line,
    /** All it prints after that line until it ends by itself. */
    async rest(): Promise<string> {
      let text = early.join("\n");
      for (let next = await output.read(); !next.done; next = await output.read()) {
        text += next.value;
      }
      return text;
    },
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      while (!(await output.read()).done);
      await child.status;
    },
  };
}

export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
