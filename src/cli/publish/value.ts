/** Largest value read from standard input, in bytes: more than any hub takes. */
export const MAX_INPUT_BYTES = 64 * 1024 * 1024;

/** A value to publish as JSON text, or what is wrong with it. */
export type PublishedValue =
  | { readonly ok: true; readonly json: string }
  | { readonly ok: false; readonly why: string };

/** Checks that a text is JSON; it is sent as it was written, numbers to their last digit. */
export function valueOf(text: string, where: string): PublishedValue {
  const json = text.trim();
  if (json === "") {
    return { ok: false, why: `${where} is empty; expected JSON such as {"ok":true}` };
  }
  try {
    JSON.parse(json);
    return { ok: true, json };
  } catch {
    const quoted = JSON.stringify(json);
    const example = quoted.length <= 60 ? `; a text is written as '${quoted}'` : "";
    return { ok: false, why: `${where} is not JSON${example}` };
  }
}

/** Reads all of a stream as UTF-8. */
export async function readInput(stream: ReadableStream<Uint8Array>): Promise<PublishedValue> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      bytes += chunk.length;
      if (bytes > MAX_INPUT_BYTES) {
        return { ok: false, why: `standard input has more than ${MAX_INPUT_BYTES} bytes` };
      }
      text += decoder.decode(chunk, { stream: true });
    }
    text += decoder.decode();
  } catch {
    return { ok: false, why: "standard input is not UTF-8" };
  }
  return valueOf(text, "standard input");
}
