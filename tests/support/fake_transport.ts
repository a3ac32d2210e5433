import type { Transport } from "../../src/hub/delivery/transport.ts";

/** A connection under a test's control: what was sent, and how much of it "waits" in the runtime. */
export class FakeTransport implements Transport {
  readonly sent: string[] = [];
  closed: { code: number; reason: string; withinMs?: number } | undefined;
  /** What the peer has acknowledged, where that is known. */
  acknowledgedBytes: number | undefined;
  bufferedBytes = 0;
  /** While true, what is sent stays buffered: the client takes nothing. */
  isStalled = false;
  /** While true, `send` throws. */
  isBroken = false;

  send(text: string): void {
    if (this.isBroken) throw new DOMException("not open", "InvalidStateError");
    this.sent.push(text);
    if (this.isStalled) this.bufferedBytes += text.length;
  }

  takenBytes(): number | undefined {
    return this.acknowledgedBytes;
  }

  close(code: number, reason: string, withinMs?: number): void {
    this.closed ??= { code, reason, ...(withinMs === undefined ? {} : { withinMs }) };
  }

  /** The client takes up to `bytes` of what is buffered. */
  take(bytes = Infinity): void {
    this.bufferedBytes = Math.max(0, this.bufferedBytes - bytes);
  }

  /** What was sent, parsed. */
  get frames(): { type: string; seq?: number; timestamp: number; data: Record<string, unknown> }[] {
    return this.sent.flatMap((text) => {
      const value = JSON.parse(text);
      return Array.isArray(value) ? value : [value];
    });
  }

  /** The types of what was sent, in order. */
  get types(): string[] {
    return this.frames.map((frame) => frame.type);
  }
}
