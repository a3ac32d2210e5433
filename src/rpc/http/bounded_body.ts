import { onAbort } from "../../resilience/on_abort.ts";

/** What came of reading a body. */
export type BoundedBody =
  | { readonly kind: "text"; readonly text: string }
  /** There was more than `maxBytes`; the rest was not read. */
  | { readonly kind: "too_large" }
  | { readonly kind: "not_utf8" };

/** A request, an answer, or what became of its body. */
export interface MessageWithBody {
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
}

export interface BoundedBodyOptions {
  /** Most bytes to take, counted after decompression. */
  maxBytes: number;
  signal: AbortSignal;
}

/**
 * Reads a message's body as text and stops, giving up the connection, as soon as it is known to be
 * more than `maxBytes`: by its `Content-Length`, or by what has come. Bytes are counted as they
 * come out of decompression, so a small body that unpacks to a large one is bounded too. A byte
 * order mark is dropped.
 *
 * @throws The signal's reason when it is aborted, or the runtime's error when the body breaks off.
 */
export async function readBoundedBody(
  message: MessageWithBody,
  options: BoundedBodyOptions,
): Promise<BoundedBody> {
  const { maxBytes, signal } = options;
  const { body } = message;
  if (body === null) return { kind: "text", text: "" };
  if (announcedBytes(message) > maxBytes) {
    await body.cancel();
    return { kind: "too_large" };
  }
  const reader = body.getReader();
  using _stop = onAbort(signal, () => void reader.cancel(signal.reason).catch(() => {}));
  try {
    signal.throwIfAborted();
    const result = await readText(reader, maxBytes);
    signal.throwIfAborted(); // an aborted reader looks like the end of the body
    return result;
  } finally {
    await reader.cancel().catch(() => {}); // nothing to do where the body was read to its end
  }
}

async function readText(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
): Promise<BoundedBody> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (value !== undefined) bytes += value.byteLength;
    if (bytes > maxBytes) return { kind: "too_large" };
    try {
      text += decoder.decode(value, { stream: !done });
    } catch {
      return { kind: "not_utf8" };
    }
    if (done) return { kind: "text", text };
  }
}

/** What the headers promise, or 0 where they tell nothing about the decoded size. */
function announcedBytes({ headers }: MessageWithBody): number {
  if (headers.has("content-encoding")) return 0;
  const bytes = Number(headers.get("content-length"));
  return Number.isSafeInteger(bytes) ? bytes : 0;
}
