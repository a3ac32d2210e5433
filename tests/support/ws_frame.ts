/** Opcodes of RFC 6455 section 5.2. */
export const OPCODE = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

export interface FrameOptions {
  opcode: number;
  payload?: Uint8Array | string;
  /** The last frame of its message. Default: it is. */
  fin?: boolean;
  /** The three reserved bits, as a number from 0 to 7. Default: none. */
  reserved?: number;
  /** Masked, as a client's frames have to be. Default: it is. */
  masked?: boolean;
  /** The length the frame claims to have. Default: the true one. */
  claimedLength?: number;
}

const encoder = new TextEncoder();

/** The bytes of one WebSocket frame, whether or not RFC 6455 allows it. */
export function frameBytes(options: FrameOptions): Uint8Array<ArrayBuffer> {
  const { opcode, fin = true, reserved = 0, masked = true } = options;
  const payload = typeof options.payload === "string"
    ? encoder.encode(options.payload)
    : options.payload ?? new Uint8Array();
  const { claimedLength = payload.length } = options;
  const length = lengthBytes(claimedLength);
  const mask = masked ? crypto.getRandomValues(new Uint8Array(4)) : new Uint8Array();
  const bytes = new Uint8Array(1 + length.length + mask.length + payload.length);
  bytes[0] = (fin ? 0x80 : 0) | reserved << 4 | opcode;
  bytes.set(length, 1);
  if (masked) bytes[1] = (bytes[1] ?? 0) | 0x80;
  bytes.set(mask, 1 + length.length);
  const at = 1 + length.length + mask.length;
  for (let i = 0; i < payload.length; i++) {
    bytes[at + i] = (payload[i] ?? 0) ^ (mask[i % 4] ?? 0);
  }
  return bytes;
}

/** A close frame with a code, a reason, or (without a code) nothing in it. */
export function closeBytes(code?: number, reason = ""): Uint8Array<ArrayBuffer> {
  if (code === undefined) return frameBytes({ opcode: OPCODE.close });
  const text = encoder.encode(reason);
  const payload = new Uint8Array(2 + text.length);
  new DataView(payload.buffer).setUint16(0, code);
  payload.set(text, 2);
  return frameBytes({ opcode: OPCODE.close, payload });
}

/** Several byte strings as one. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function lengthBytes(length: number): Uint8Array {
  if (length < 126) return new Uint8Array([length]);
  const view = new DataView(new ArrayBuffer(length < 65_536 ? 3 : 9));
  if (length < 65_536) {
    view.setUint8(0, 126);
    view.setUint16(1, length);
  } else {
    view.setUint8(0, 127);
    view.setBigUint64(1, BigInt(length));
  }
  return new Uint8Array(view.buffer);
}

/** A frame as a server sent it. */
export interface ServerFrame {
  readonly opcode: number;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** Takes whole frames out of bytes as they come; frames of servers are not masked. */
export class FrameReader {
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array();

  /** The frames that are complete with these bytes. */
  push(bytes: Uint8Array): ServerFrame[] {
    this.#rest = joined(this.#rest, bytes);
    const frames: ServerFrame[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): ServerFrame | undefined {
    const [first = 0, short = 0] = this.#rest;
    const extra = short === 127 ? 8 : short === 126 ? 2 : 0;
    if (this.#rest.length < 2 + extra) return undefined;
    const view = new DataView(this.#rest.buffer, this.#rest.byteOffset);
    const length = extra === 8
      ? Number(view.getBigUint64(2))
      : extra === 2
      ? view.getUint16(2)
      : short;
    const end = 2 + extra + length;
    if (this.#rest.length < end) return undefined;
    const payload = this.#rest.slice(2 + extra, end);
    this.#rest = this.#rest.slice(end);
    return { opcode: first & 0x0f, payload };
  }
}
