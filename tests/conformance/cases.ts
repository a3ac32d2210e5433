import { closeBytes, frameBytes, joined, OPCODE } from "../support/ws_frame.ts";

/** What a hub does with bytes after the welcome, in the words of the table in the documents. */
export interface Outcome {
  /** Types and codes of what it answers, control frames in brackets. */
  readonly answers: readonly string[];
  /** The code of its close frame; "none" if the connection ends without; absent if it stays open. */
  readonly close?: number | "none" | undefined;
}

/** A case of RFC 6455, or of what a bad client does against it. */
export interface Case extends Outcome {
  readonly section: string;
  readonly name: string;
  readonly bytes: Uint8Array;
}

const PING = `{"type":"ping","id":"é"}`;
const LIMIT = 65_536;

const encoded = new TextEncoder().encode(PING);
const text = (payload: string | Uint8Array) => frameBytes({ opcode: OPCODE.text, payload });
const ping = (payload = "a") => frameBytes({ opcode: OPCODE.ping, payload });
const first = (payload: string | Uint8Array) =>
  frameBytes({ opcode: OPCODE.text, payload, fin: false });
const more = (payload: string | Uint8Array) =>
  frameBytes({ opcode: OPCODE.continuation, payload, fin: false });
const last = (payload: string | Uint8Array) => frameBytes({ opcode: OPCODE.continuation, payload });
const closeOf = (payload: Uint8Array) => frameBytes({ opcode: OPCODE.close, payload });

/** Cuts inside the two bytes of "é". */
const MIDDLE = encoded.indexOf(0xc3) + 1;

const PONG = { answers: ["pong"] };
const CUT_OFF = { answers: [], close: "none" } as const;
const TOO_BIG = { answers: [], close: 1009 } as const;

function closes(name: string, code: number, answer: number): Case {
  return { section: "7.4", name, bytes: closeBytes(code), answers: [], close: answer };
}

/** Every case, in the order of the table. */
export const CASES: readonly Case[] = [
  { section: "5.6", name: "text message", bytes: text(PING), ...PONG },
  {
    section: "5.6",
    name: "two messages in one packet",
    bytes: joined(text(PING), text(PING)),
    answers: ["pong", "pong"],
  },
  {
    section: "5.6",
    name: "binary message",
    bytes: frameBytes({ opcode: OPCODE.binary, payload: PING }),
    answers: ["BAD_MESSAGE"],
  },
  { section: "5.6", name: "empty text message", bytes: text(""), answers: ["BAD_MESSAGE"] },
  {
    section: "5.4",
    name: "message in three fragments",
    bytes: joined(first(PING.slice(0, 5)), more(PING.slice(5, 9)), last(PING.slice(9))),
    ...PONG,
  },
  {
    section: "5.4",
    name: "message in fragments, two of them empty",
    bytes: joined(first(""), more(""), last(PING)),
    ...PONG,
  },
  {
    section: "5.4",
    name: "ping between fragments",
    bytes: joined(first(PING.slice(0, 5)), ping(), last(PING.slice(5))),
    answers: ["[pong]", "pong"],
  },
  {
    section: "5.4",
    name: "character cut between fragments",
    bytes: joined(first(encoded.subarray(0, MIDDLE)), last(encoded.subarray(MIDDLE))),
    ...PONG,
  },
  { section: "5.4", name: "continuation of nothing", bytes: last(PING), ...CUT_OFF },
  {
    section: "5.4",
    name: "new message amid another's fragments",
    bytes: joined(first("a"), text(PING)),
    ...CUT_OFF,
  },
  { section: "5.5.2", name: "ping", bytes: ping(), answers: ["[pong]"] },
  {
    section: "5.5.2",
    name: "ping of 125 bytes",
    bytes: ping("a".repeat(125)),
    answers: ["[pong]"],
  },
  { section: "5.5", name: "ping of 126 bytes", bytes: ping("a".repeat(126)), ...CUT_OFF },
  {
    section: "5.5",
    name: "ping in fragments",
    bytes: frameBytes({ opcode: OPCODE.ping, payload: "a", fin: false }),
    ...CUT_OFF,
  },
  {
    section: "5.5.3",
    name: "pong nobody asked for",
    bytes: joined(frameBytes({ opcode: OPCODE.pong, payload: "a" }), text(PING)),
    ...PONG,
  },
  {
    section: "5.1",
    name: "unmasked message (the runtime does not mind)",
    bytes: frameBytes({ opcode: OPCODE.text, payload: PING, masked: false }),
    ...PONG,
  },
  ...[4, 2, 1].map((reserved, nth): Case => ({
    section: "5.2",
    name: `reserved bit ${nth + 1} set`,
    bytes: frameBytes({ opcode: OPCODE.text, payload: PING, reserved }),
    ...CUT_OFF,
  })),
  ...[3, 7, 11, 15].map((opcode): Case => ({
    section: "5.2",
    name: `reserved opcode ${opcode}`,
    bytes: frameBytes({ opcode, payload: PING }),
    ...CUT_OFF,
  })),
  {
    section: "8.1",
    name: "text that is not UTF-8",
    bytes: text(new Uint8Array([0x22, 0xff, 0xfe, 0x22])),
    ...CUT_OFF,
  },
  {
    section: "8.1",
    name: "text that is not UTF-8, over two fragments",
    bytes: joined(first(new Uint8Array([0x22, 0xce])), last(new Uint8Array([0x22]))),
    ...CUT_OFF,
  },
  closes("close 1000", 1000, 1000),
  closes("close 1001", 1001, 1001),
  closes("close 3000, a library's own", 3000, 3000),
  closes("close 4999, an application's own", 4999, 4999),
  {
    section: "5.5.1",
    name: "close with a reason of 123 bytes",
    bytes: closeBytes(1000, "x".repeat(123)),
    answers: [],
    close: 1000,
  },
  { section: "5.5.1", name: "close without a code", bytes: closeBytes(), answers: [], close: 1005 },
  {
    section: "5.5.1",
    name: "close of one byte",
    bytes: closeOf(new Uint8Array([3])),
    ...CUT_OFF,
  },
  {
    section: "5.5.1",
    name: "close with a reason that is not UTF-8",
    bytes: closeOf(new Uint8Array([3, 232, 0xff, 0xfe])),
    ...CUT_OFF,
  },
  ...[999, 1004, 1005, 1006, 1015, 2999, 5000].map((code) =>
    closes(`close ${code}, which nobody may send`, code, 1002)
  ),
  {
    section: "5.5.1",
    name: "message after a close",
    bytes: joined(closeBytes(1000), text(PING)),
    answers: [],
    close: 1000,
  },
  {
    section: "10.4",
    name: "message of 65,536 bytes, the limit",
    bytes: text(PING.padStart(LIMIT - 1)), // "é" is two
    ...PONG,
  },
  {
    section: "10.4",
    name: "message of 65,537 bytes",
    bytes: text(PING.padStart(LIMIT)),
    ...TOO_BIG,
  },
  {
    section: "10.4",
    name: "binary message of 65,537 bytes",
    bytes: frameBytes({ opcode: OPCODE.binary, payload: new Uint8Array(LIMIT + 1) }),
    ...TOO_BIG,
  },
  {
    section: "10.4",
    name: "fragments of 65,537 bytes in all",
    bytes: joined(first(" ".repeat(LIMIT)), last(" ")),
    ...TOO_BIG,
  },
  {
    section: "10.4",
    name: "message too big, and others after it",
    bytes: joined(text(" ".repeat(LIMIT + 1)), text(PING), text(PING)),
    ...TOO_BIG,
  },
  {
    section: "5.2",
    name: "frame that claims 64 MiB (more than the runtime takes)",
    bytes: frameBytes({ opcode: OPCODE.text, payload: "a", claimedLength: 64 * 1024 * 1024 }),
    ...CUT_OFF,
  },
  {
    section: "5.2",
    name: "frame that claims 2^63 bytes",
    bytes: frameBytes({ opcode: OPCODE.text, payload: "a", claimedLength: 2 ** 63 }),
    ...CUT_OFF,
  },
  {
    section: "",
    name: "20 messages the hub cannot accept, and others after them",
    bytes: joined(...Array.from({ length: 20 }, () => text("?")), text(PING), text(PING)),
    answers: Array.from({ length: 20 }, () => "BAD_MESSAGE"),
    close: 1008,
  },
];
