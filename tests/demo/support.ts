import { join } from "node:path";

/** A folder for one test. */
export class TestFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<TestFolder> {
    return new TestFolder(
      await Deno.realPath(await Deno.makeTempDir({ prefix: "holdfast-test-" })),
    );
  }

  at(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  /** The names in a folder of it, sorted. */
  async names(...parts: string[]): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(this.at(...parts))) names.push(name);
    return names.toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** Unpacks a gzip file with the machine's own tool rather than the runtime that packed it. */
export async function gunzip(path: string): Promise<Uint8Array> {
  const { success, stdout, stderr } = await new Deno.Command("gzip", { args: ["-dc", path] })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return stdout;
}

/** Bytes that compress somewhat and differ everywhere. */
export function bytesOf(count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(count, at + 65_536)));
  }
  return bytes.map((byte) => byte & 0x1f);
}

/** Looks again and again until there is something to be seen; 15 s at most. */
export async function eventually<T>(
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const end = performance.now() + 15_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`did not happen: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
