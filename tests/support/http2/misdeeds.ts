import type { Chance } from "../seed.ts";
import {
  ACK,
  concat,
  END_HEADERS,
  END_STREAM,
  frame,
  goaway,
  grpcMessage,
  headerBlock,
  PADDED,
  rstStream,
  settings,
  TYPE,
  uint32s,
  windowUpdate,
} from "./frames.ts";
import { GREETING, type Victim } from "./hostile_peer.ts";

const MOST = 0x7fffffff;

/** One way of treating a client badly; the connection is closed when it returns. */
export type Misdeed = (victim: Victim) => Promise<void>;

/** Runs after the greeting and the first request. */
function onRequest(misdeed: (victim: Victim, stream: number) => Promise<void>): Misdeed {
  return async (victim) => {
    await victim.send(GREETING);
    await misdeed(victim, await victim.request());
  };
}

/** Sends frames that are wrong on a request, at any point of its answer, and looks what comes. */
function wrongFrames(frames: (stream: number, chance: Chance) => Uint8Array): Misdeed {
  return onRequest(async (victim, stream) => {
    const { chance } = victim;
    const before = chance.pick(["nothing", "head", "half", "whole"] as const);
    const prefix = before === "nothing" ? new Uint8Array() : victim.answer(stream, before);
    await victim.send(prefix, frames(stream, chance));
    if (chance.percent(50)) await victim.send(victim.answer(stream));
    await linger(victim);
  });
}

/** What comes after a misdeed: the end at once, or a client left to itself. */
async function linger(victim: Victim): Promise<void> {
  const { chance } = victim;
  if (chance.percent(40)) return;
  await victim.pause(chance.between(0, 60));
  if (chance.percent(30)) await victim.halfClose();
  await victim.pause(chance.between(0, 100));
}

function repeated(times: number, part: (at: number) => Uint8Array): Uint8Array {
  return concat(Array.from({ length: times }, (_, at) => part(at)));
}

function randomBytes(chance: Chance, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => chance.between(0, 256));
}

function anyCode(chance: Chance): number {
  return chance.percent(80) ? Math.floor(chance.between(0, 14)) : chance.between(0, 2 ** 32);
}

function anyLast(stream: number, chance: Chance): number {
  return chance.pick([0, 1, stream - 2, stream - 1, stream, stream + 1, stream + 2, 2 ** 20, MOST]);
}

function fields(stream: number, flags: number, ...pairs: [string, string][]): Uint8Array {
  return frame(TYPE.headers, flags, stream, headerBlock(pairs));
}

const GRPC: [string, string][] = [[":status", "200"], ["content-type", "application/grpc+proto"]];

/** One frame of whatever kind, as likely right as wrong. */
function anyFrame(stream: number, chance: Chance): Uint8Array {
  const streams = [0, stream, stream, stream, stream - 2, stream + 2, 2, MOST];
  return chance.pick<() => Uint8Array>([
    () => goaway(anyLast(stream, chance), anyCode(chance), "x".repeat(chance.between(0, 30))),
    () => rstStream(chance.pick(streams), anyCode(chance)),
    () => settings([chance.between(0, 9), chance.between(0, 2 ** 32)]),
    () => settings(),
    () => frame(TYPE.settings, ACK, 0),
    () => frame(TYPE.ping, chance.pick([0, ACK]), 0, randomBytes(chance, 8)),
    () => windowUpdate(chance.pick(streams), chance.pick([0, 1, 65_535, MOST])),
    () => fields(stream, END_HEADERS, ...GRPC),
    () => fields(chance.pick(streams), END_HEADERS | END_STREAM, ["grpc-status", "0"]),
    () => fields(stream, chance.between(0, 256), ["x", "y"]),
    () =>
      frame(
        TYPE.data,
        chance.pick([0, END_STREAM]),
        chance.pick(streams),
        grpcMessage(randomBytes(chance, 9)),
      ),
    () =>
      frame(
        chance.between(0, 256),
        chance.between(0, 256),
        chance.pick(streams),
        randomBytes(chance, chance.between(0, 40)),
      ),
    () => frame(TYPE.continuation, END_HEADERS, stream, headerBlock([["a", "b"]])),
    () =>
      frame(
        TYPE.pushPromise,
        END_HEADERS,
        stream,
        concat([uint32s(2), headerBlock([[":path", "/"]])]),
      ),
    () => frame(TYPE.priority, 0, stream, concat([uint32s(stream), new Uint8Array([1])])),
  ])();
}

/** Everything a server may do to a client that it should not, by name. */
export const MISDEEDS: Readonly<Record<string, Misdeed>> = {
  "goaway before a request": async (victim) => {
    const { chance, send } = victim;
    await send(GREETING, goaway(anyLast(1, chance), anyCode(chance)));
    await linger(victim);
  },
  "goaway without settings": async ({ chance, send, pause }) => {
    await send(goaway(anyLast(1, chance), anyCode(chance)));
    await pause(20);
  },
  "goaway in an answer": wrongFrames((stream, chance) =>
    goaway(anyLast(stream, chance), anyCode(chance))
  ),
  "goaway twice": wrongFrames((stream, chance) =>
    concat([
      goaway(chance.pick([MOST, anyLast(stream, chance)]), 0),
      goaway(anyLast(stream, chance), anyCode(chance)),
    ])
  ),
  "goaway twice, a while between": onRequest(async (victim, stream) => {
    const { chance, send, pause, answer } = victim;
    await send(goaway(MOST, 0));
    await pause(chance.between(0, 30));
    await send(answer(stream, chance.pick(["head", "half", "whole"])));
    await send(goaway(anyLast(stream, chance), anyCode(chance)));
    await linger(victim);
  }),
  "goaway and reset": wrongFrames((stream, chance) =>
    concat([
      goaway(anyLast(stream, chance), anyCode(chance)),
      repeated(chance.between(1, 4), () => rstStream(stream, anyCode(chance))),
    ])
  ),
  "goaway and data": wrongFrames((stream, chance) =>
    concat([
      goaway(anyLast(stream, chance), anyCode(chance)),
      fields(stream, END_HEADERS, ...GRPC),
      frame(TYPE.data, chance.pick([0, END_STREAM]), stream, grpcMessage(new Uint8Array(20))),
    ])
  ),
  "orderly goaway": onRequest(async ({ send, answer, chance, pause }, stream) => {
    await send(goaway(MOST, 0), frame(TYPE.ping, 0, 0, new Uint8Array(8)));
    await send(answer(stream), goaway(stream, 0));
    await pause(chance.between(0, 10));
  }),
  "reset storm": wrongFrames((stream, chance) =>
    repeated(200, (at) => rstStream(chance.pick([stream, stream, 2 * at + 1, at]), anyCode(chance)))
  ),
  "every request reset": async ({ send, request, chance, answer }) => {
    await send(GREETING);
    for (;;) {
      const stream = await request();
      if (chance.percent(30)) await send(answer(stream, chance.pick(["head", "half", "whole"])));
      await send(rstStream(stream, anyCode(chance)));
    }
  },
  "settings flood": wrongFrames((_, chance) =>
    repeated(5000, () => settings([chance.pick([1, 3, 4]), chance.pick([0, 1, 4096, 65_535])]))
  ),
  "wrong settings": wrongFrames((_, chance) =>
    chance.pick([
      settings([4, 2 ** 31]),
      settings([5, 1]),
      settings([5, 2 ** 24]),
      settings([2, 7]),
      settings([1, 2 ** 32 - 1], [6, 0]),
      settings([3, 0]),
      settings([8, 9]),
      frame(TYPE.settings, 0, 0, new Uint8Array(5)),
      frame(TYPE.settings, ACK, 0, new Uint8Array(6)),
      frame(TYPE.settings, 0, 1, new Uint8Array(6)),
    ])
  ),
  "no more streams": async ({ send, pause, chance }) => {
    await send(settings([3, 0]), frame(TYPE.settings, ACK, 0));
    await pause(chance.between(50, 200));
    await send(settings([3, 100]));
    await pause(50);
  },
  "windows shrunk and grown": wrongFrames((stream, chance) =>
    repeated(50, () => concat([settings([4, chance.pick([0, 1, MOST])]), windowUpdate(stream, 1)]))
  ),
  "ping flood": wrongFrames((_, chance) =>
    repeated(5000, () => frame(TYPE.ping, chance.pick([0, 0, ACK]), 0, new Uint8Array(8)))
  ),
  "wrong ping": wrongFrames((stream, chance) =>
    frame(TYPE.ping, 0, chance.pick([0, stream]), new Uint8Array(chance.pick([0, 7, 8, 9])))
  ),
  "continuation flood": onRequest(async ({ send }, stream) => {
    await send(frame(TYPE.headers, 0, stream, headerBlock(GRPC)));
    const part = frame(TYPE.continuation, 0, stream, headerBlock([["a", "b".repeat(1000)]]));
    for (let at = 0; at < 500; at++) await send(repeated(10, () => part));
  }),
  "empty continuation flood": onRequest(async ({ send }, stream) => {
    await send(frame(TYPE.headers, 0, stream));
    for (let at = 0; at < 50; at++) {
      await send(repeated(100, () => frame(TYPE.continuation, 0, stream)));
    }
  }),
  "continuation broken into": onRequest(async (victim, stream) => {
    await victim.send(
      frame(TYPE.headers, 0, stream, headerBlock(GRPC)),
      anyFrame(stream, victim.chance),
      frame(TYPE.continuation, END_HEADERS, stream),
    );
    await linger(victim);
  }),
  "header bomb": wrongFrames((stream) =>
    // One long entry is remembered, then named again and again by one byte each.
    frame(
      TYPE.headers,
      END_HEADERS,
      stream,
      concat([
        new Uint8Array([0x40, 1, 0x61, 127, ...[0x81, 0x1e]]),
        new Uint8Array(127 + 0x81 - 128 + 0x1e * 128).fill(0x62),
        new Uint8Array(10_000).fill(0xbe),
      ]),
    )
  ),
  "garbage for headers": wrongFrames((stream, chance) =>
    frame(TYPE.headers, END_HEADERS, stream, randomBytes(chance, chance.between(1, 200)))
  ),
  "odd headers": wrongFrames((stream, chance) =>
    chance.pick([
      fields(stream, END_HEADERS),
      fields(stream, END_HEADERS, [":status", "999"]),
      fields(stream, END_HEADERS, [":status", "abc"]),
      fields(stream, END_HEADERS, [":status", "101"]),
      fields(stream, END_HEADERS, [":status", "200"], [":status", "500"]),
      fields(stream, END_HEADERS, ...GRPC, ["connection", "close"]),
      fields(stream, END_HEADERS, ...GRPC, ["Upper", "x\u0000y"]),
      fields(stream, END_HEADERS, ...GRPC, ["content-length", "3"]),
      fields(stream, END_HEADERS | END_STREAM, [":status", "502"], ["content-type", "text/html"]),
      fields(stream, END_HEADERS | END_STREAM, ...GRPC, ["grpc-status", "x"]),
      repeated(200, () => fields(stream, END_HEADERS, [":status", "100"])),
      repeated(3, () => fields(stream, END_HEADERS, ...GRPC)),
      fields(stream, END_HEADERS | END_STREAM, ...GRPC, ["grpc-status", "14"], [
        "grpc-message",
        "%00%zz%",
      ]),
    ])
  ),
  "window overflow": wrongFrames((stream, chance) => {
    const which = chance.pick([0, stream]);
    return repeated(3, () => windowUpdate(which, MOST));
  }),
  "window of nothing": wrongFrames((stream, chance) => windowUpdate(chance.pick([0, stream]), 0)),
  "more than the window": onRequest(async ({ send, answer, chance }, stream) => {
    await send(answer(stream, "head"));
    const part = frame(TYPE.data, chance.pick([0, PADDED]), stream, new Uint8Array(16_384));
    for (let at = 0; at < 200; at++) await send(part);
  }),
  "empty data flood": wrongFrames((stream) =>
    concat([
      fields(stream, END_HEADERS, ...GRPC),
      repeated(5000, () => frame(TYPE.data, 0, stream)),
    ])
  ),
  "wrong data": wrongFrames((stream, chance) =>
    chance.pick([
      frame(TYPE.data, PADDED, stream, new Uint8Array([200, 1, 2])),
      frame(TYPE.data, 0, 0, new Uint8Array(5)),
      frame(TYPE.data, 0, stream + 2, new Uint8Array(5)),
      frame(TYPE.data, 0, 2, new Uint8Array(5)),
      frame(TYPE.data, END_STREAM, stream, grpcMessage(new Uint8Array(1), 2 ** 32 - 1)),
      frame(TYPE.data, 0, stream, new Uint8Array(20), 2 ** 24 - 1),
      frame(TYPE.data, 0, stream, grpcMessage(new Uint8Array(), 2 ** 31)),
    ])
  ),
  "half-closed and more": wrongFrames((stream, chance) =>
    concat([
      chance.pick([
        fields(stream, END_HEADERS | END_STREAM, ...GRPC, ["grpc-status", "0"]),
        rstStream(stream, 8),
      ]),
      frame(TYPE.data, 0, stream, new Uint8Array(100)),
      fields(stream, END_HEADERS, ...GRPC),
      frame(TYPE.data, END_STREAM, stream, new Uint8Array(100)),
    ])
  ),
  "half-closed connection": onRequest(
    async ({ send, answer, chance, halfClose, pause }, stream) => {
      await send(answer(stream, chance.pick(["head", "half"])));
      await halfClose();
      await pause(100);
    },
  ),
  "push": wrongFrames((stream, chance) =>
    frame(
      TYPE.pushPromise,
      END_HEADERS,
      stream,
      concat([uint32s(chance.pick([0, 2, 3, MOST])), headerBlock([[":path", "/"]])]),
    )
  ),
  "soup": onRequest(async (victim, stream) => {
    const { chance, send, pause } = victim;
    for (let left = chance.between(1, 40); left > 0; left--) {
      await send(anyFrame(stream, chance));
      if (chance.percent(10)) await pause(1);
    }
    await linger(victim);
  }),
  "soup before settings": async (victim) => {
    const { chance, send } = victim;
    for (let left = chance.between(1, 10); left > 0; left--) await send(anyFrame(1, chance));
    await linger(victim);
  },
  "html": async (victim) => {
    const page = "<html><body><h1>400 Bad Request</h1></body></html>";
    const head = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n";
    if (victim.chance.percent(50)) await victim.pause(10);
    await victim.send(
      new TextEncoder().encode(`${head}Content-Length: ${page.length}\r\n\r\n${page}`),
    );
    await linger(victim);
  },
  "noise": async (victim) => {
    await victim.send(randomBytes(victim.chance, victim.chance.between(1, 2000)));
    await linger(victim);
  },
  "silence": ({ pause }) => pause(300),
  "silence after settings": async ({ send, pause }) => {
    await send(GREETING);
    await pause(300);
  },
  "gone at once": () => Promise.resolve(),
  "gone on a request": onRequest(async ({ send, answer, chance }, stream) => {
    if (chance.percent(50)) await send(answer(stream, chance.pick(["head", "half", "whole"])));
  }),
  "answers, then gone": async ({ send, request, answer, chance }) => {
    await send(GREETING);
    for (let left = chance.between(1, 5); left > 0; left--) await send(answer(await request()));
  },
  "answers, goaway in between": async ({ send, request, answer, chance, pause }) => {
    await send(GREETING);
    const first = await request();
    await send(answer(first));
    const second = await request();
    await send(goaway(chance.pick([first, second, MOST]), 0));
    await send(answer(second));
    await pause(chance.between(0, 20));
  },
};
