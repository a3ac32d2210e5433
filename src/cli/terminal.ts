/** Resolves when standard input ends, as it does when whoever started this process is gone. */
export async function untilEndOfInput(): Promise<void> {
  try {
    for await (const _bytes of Deno.stdin.readable) {
      // What comes is of no interest.
    }
  } catch {
    // An input that cannot be read has ended.
  }
}

/** Longest line listened to, in characters; of a longer one only the end counts. */
const MAX_LINE = 256;

/** Calls back with each line typed, without its spaces, until standard input ends. */
export async function onLines(heard: (line: string) => void): Promise<void> {
  let rest = "";
  try {
    for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = (lines.pop() ?? "").slice(-MAX_LINE);
      for (const line of lines) heard(line.trim());
    }
  } catch {
    // An input that cannot be read has ended.
  }
}
