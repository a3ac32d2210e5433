/** HTTP/2 frames by hand (RFC 9113), right and wrong ones alike: nothing here checks what it builds. */

export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** END_STREAM of DATA and HEADERS; ACK of SETTINGS and PING has the same bit. */
export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;
export const PADDED = 8;

/** What a client sends before its first frame. */
export const PREFACE_BYTES = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length;

const HEAD_BYTES = 9;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Uint8Array;
}

/** @param length What the head says of the payload's length. Default: the truth. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = new Uint8Array(),
  length = payload.length,
): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, (length << 8) | type);
  view.setUint8(4, flags);
  view.setUint32(5, stream);
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

/** Big-endian 32-bit numbers, one after the other. */
export function uint32s(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, at) => view.setUint32(4 * at, value >>> 0));
  return bytes;
}

export function goaway(lastStream: number, code: number, debug = ""): Uint8Array {
  return frame(
    TYPE.goaway,
    0,
    0,
    concat([uint32s(lastStream, code), new TextEncoder().encode(debug)]),
  );
}

export function rstStream(stream: number, code: number): Uint8Array {
  return frame(TYPE.rstStream, 0, stream, uint32s(code));
}

export function windowUpdate(stream: number, increment: number): Uint8Array {
  return frame(TYPE.windowUpdate, 0, stream, uint32s(increment));
}

export function settings(...pairs: (readonly [id: number, value: number])[]): Uint8Array {
  const payload = new Uint8Array(6 * pairs.length);
  const view = new DataView(payload.buffer);
  pairs.forEach(([id, value], at) => {
    view.setUint16(6 * at, id);
    view.setUint32(6 * at + 2, value >>> 0);
  });
  return frame(TYPE.settings, 0, 0, payload);
}

/** Header fields as HPACK literals that nobody has to remember. */
export function headerBlock(fields: readonly (readonly [string, string])[]): Uint8Array {
  const encoder = new TextEncoder();
  return concat(fields.flatMap(([name, value]) => {
    const [key, text] = [encoder.encode(name), encoder.encode(value)];
    return [new Uint8Array([0]), lengthOf(key.length), key, lengthOf(text.length), text];
  }));
}

/** A length with HPACK's prefix of 7 bits. */
function lengthOf(length: number): Uint8Array {
  if (length < 127) return new Uint8Array([length]);
  const bytes = [127];
  let rest = length - 127;
  for (; rest >= 128; rest >>>= 7) bytes.push((rest & 127) | 128);
  return new Uint8Array([...bytes, rest]);
}

/** A gRPC message with its prefix. @param length What the prefix says. Default: the truth. */
export function grpcMessage(message: Uint8Array, length = message.length): Uint8Array {
  return concat([new Uint8Array([0]), uint32s(length), message]);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Cuts what a peer sends into frames; its preface must have been taken off. */
export class FrameReader {
  #bytes = new Uint8Array();

  /** The whole frames that there are once these bytes have come. */
  *feed(bytes: Uint8Array): Generator<Frame> {
    this.#bytes = new Uint8Array(concat([this.#bytes, bytes]));
    while (this.#bytes.length >= HEAD_BYTES) {
      const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset);
      const end = HEAD_BYTES + (view.getUint32(0) >>> 8);
      if (this.#bytes.length < end) return;
      yield {
        type: view.getUint8(3),
        flags: view.getUint8(4),
        stream: view.getUint32(5) & 0x7fffffff,
        payload: this.#bytes.slice(HEAD_BYTES, end),
      };
      this.#bytes = this.#bytes.slice(end);
    }
  }
}
