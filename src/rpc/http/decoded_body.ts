import type { Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";

/** A body as it was before it was packed for the way. */
export type DecodedBody =
  | { readonly ok: true; readonly body: ReadableStream<Uint8Array> | null }
  | { readonly ok: false; readonly why: string };

type Unpacker = Transform;

/** What an answer is asked to be. */
export const ACCEPT_ENCODING = "identity";

/**
 * Unpacks a body by its `Content-Encoding`. The runtime does so by itself unless it asked for
 * `identity`, but it takes the first member of a gzip for the whole and knows no `x-gzip`; servers
 * pack although they were not asked to.
 */
export function decodedBody(message: Response): DecodedBody {
  const { body, headers } = message;
  const encodings = (headers.get("content-encoding") ?? "").toLowerCase().split(",")
    .map((each) => each.trim()).filter((each) => each !== "" && each !== "identity");
  const [encoding] = encodings;
  if (body === null || encoding === undefined) return { ok: true, body };
  const unpacker = encodings.length === 1 ? unpackerOf(encoding) : undefined;
  if (unpacker === undefined) {
    const shown = encodings.join(", ").replace(/[^\w, .-]/g, "").slice(0, 40);
    return { ok: false, why: `the answer is packed in a way not known here (${shown})` };
  }
  return { ok: true, body: unpack(body, unpacker) };
}

/**
 * A body put through an unpacker, piece by piece as it is read. The adapters between the two kinds
 * of stream are not used: cancelled in the middle, they throw where nobody can catch it.
 */
function unpack(
  packed: ReadableStream<Uint8Array>,
  unpacker: Unpacker,
): ReadableStream<Uint8Array> {
  const reader = packed.getReader();
  unpacker.on("error", () => {}); // the iterator below has it
  void feed(reader, unpacker);
  const pieces = unpacker[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      unpacker.destroy();
      await reader.cancel().catch(() => {});
    },
  }, { highWaterMark: 0 });
}

async function feed(reader: ReadableStreamDefaultReader<Uint8Array>, unpacker: Unpacker) {
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (unpacker.destroyed) break;
      if (done) {
        unpacker.end();
        return;
      }
      if (!unpacker.write(value)) await roomIn(unpacker);
    }
  } catch (error) {
    unpacker.destroy(error instanceof Error ? error : new Error(String(error)));
  }
  await reader.cancel().catch(() => {});
}

/** Resolves once an unpacker takes more, or nothing any more. */
function roomIn(unpacker: Unpacker): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      unpacker.off("drain", done);
      unpacker.off("close", done);
      resolve();
    };
    unpacker.on("drain", done);
    unpacker.on("close", done);
    if (unpacker.destroyed) done();
  });
}

function unpackerOf(encoding: string): Unpacker | undefined {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    default:
      return undefined;
  }
}
