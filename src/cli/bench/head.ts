/** What `bench` needs to know of a frame. */
export interface FrameHead {
  readonly type: string;
  readonly seq: number | undefined;
}

/** A hub writes a frame's small members first; reading those alone keeps the load on the hub. */
const HEAD = /^\{"type":"([a-z][a-z0-9_]{0,63})","timestamp":\d+,(?:"seq":(\d+),)?"data":/;

/** Reads a frame's type and `seq`; `undefined` if it is no frame. */
export function readHead(text: string): FrameHead | undefined {
  const match = HEAD.exec(text);
  if (match) {
    const [, type = "", seq] = match;
    return { type, seq: seq === undefined ? undefined : Number(seq) };
  }
  try {
    const { type, seq } = JSON.parse(text) as { type?: unknown; seq?: unknown };
    if (typeof type !== "string") return undefined;
    return { type, seq: typeof seq === "number" ? seq : undefined };
  } catch {
    return undefined;
  }
}
