/**
 * The records of a tail: how one is written, and what a file of them turns out to be. A record is
 * a head (mark, number, length, checksum of these), a body and the body's checksum, so that one cut
 * short by the end of the process can be told from one that was damaged.
 */
import { crc32 } from "node:zlib";

const MARK = 0x484f4c44;
const HEAD_BYTES = 24;
const SUM_BYTES = 4;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export interface TailRecord {
  readonly number: number;
  readonly text: string;
}

/** What a file held. */
export interface TailScan {
  readonly records: readonly TailRecord[];
  /** Something in it is not as it was written. */
  readonly isDamaged: boolean;
}

/** The bytes of one record. */
export function encodeRecord({ number, text }: TailRecord): Uint8Array<ArrayBuffer> {
  const body = encoder.encode(text);
  const bytes = new Uint8Array(HEAD_BYTES + body.length + SUM_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MARK);
  view.setBigUint64(4, BigInt(number));
  view.setBigUint64(12, BigInt(body.length));
  view.setUint32(20, crc32(bytes.subarray(0, 20)));
  bytes.set(body, HEAD_BYTES);
  view.setUint32(HEAD_BYTES + body.length, crc32(body));
  return bytes;
}

/** Reads a file's records, up to its end or to the first that is not whole. */
export function scanRecords(bytes: Uint8Array): TailScan {
  const records: TailRecord[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length;) {
    // The last one, begun and not ended: the process was killed before anybody heard of it.
    if (bytes.length - at < HEAD_BYTES) return { records, isDamaged: false };
    const isHead = view.getUint32(at) === MARK &&
      view.getUint32(at + 20) === crc32(bytes.subarray(at, at + 20));
    if (!isHead) return { records, isDamaged: true };
    const number = Number(view.getBigUint64(at + 4));
    const length = Number(view.getBigUint64(at + 12));
    const end = at + HEAD_BYTES + length;
    if (end + SUM_BYTES > bytes.length) return { records, isDamaged: false };
    const body = bytes.subarray(at + HEAD_BYTES, end);
    if (view.getUint32(end) !== crc32(body)) return { records, isDamaged: true };
    records.push({ number, text: decoder.decode(body) });
    at = end + SUM_BYTES;
  }
  return { records, isDamaged: false };
}
