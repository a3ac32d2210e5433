import { ConnectTransport } from "../connect_transport.ts";
import { oneLine } from "../one_line.ts";
import type { GrpcTransport, WireCall, WireFailure } from "../transport.ts";
import { encodeMessage, MessageReader, type Order, type Report } from "./message.ts";

/** Most bytes of a call's message; the hub's configuration is where it comes from. */
const MAX_REQUEST_BYTES = 64 * 1024 * 1024;

/** What is open for one call. */
interface ServedCall {
  readonly controller: AbortController;
  /** Lets a stream send one message more. */
  more?: () => void;
}

/**
 * The gRPC process itself: carries out what the hub orders through `input` until that ends, and
 * reports through `output`. Knows the one server whose endpoint it is told first.
 */
export async function serveTransport(
  input: ReadableStream<Uint8Array>,
  output: WritableStream<Uint8Array>,
): Promise<void> {
  const writer = output.getWriter();
  const reader = new MessageReader<Order>(MAX_REQUEST_BYTES);
  const open = new Map<number, ServedCall>();
  let transport: GrpcTransport | undefined;
  const report = (head: Report, body?: Uint8Array) => writer.write(encodeMessage(head, body));

  const unary = async (id: number, call: WireCall, deadlineMs?: number) => {
    const { signal } = begin(id).controller;
    try {
      if (transport === undefined) throw new TypeError("not opened");
      const answer = await transport.unary(call, {
        signal,
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
      });
      if (answer.kind === "ok") await report({ kind: "answer", id }, answer.bytes);
      else await report({ kind: "failed", id, failure: answer });
    } catch (error) {
      if (!signal.aborted) await report({ kind: "failed", id, failure: failureOf(error) });
    } finally {
      open.delete(id);
    }
  };

  const stream = async (id: number, call: WireCall) => {
    const each = begin(id);
    const { signal } = each.controller;
    let credit = 0;
    let wake = () => {};
    each.more = () => {
      credit += 1;
      wake();
    };
    signal.addEventListener("abort", () => wake());
    try {
      if (transport === undefined) throw new TypeError("not opened");
      const messages = transport.stream(call, { signal });
      for (;;) {
        while (credit === 0 && !signal.aborted) {
          await new Promise<void>((resolve) => wake = resolve);
        }
        const { value: event, done } = await messages.next();
        if (done) {
          await report({ kind: "failed", id, failure: event });
          return;
        }
        credit -= 1;
        if (event.kind === "opened") await report({ kind: "opened", id });
        else await report({ kind: "message", id, cameAtMs: event.cameAtMs }, event.bytes);
      }
    } catch (error) {
      if (!signal.aborted) await report({ kind: "failed", id, failure: failureOf(error) });
    } finally {
      open.delete(id);
    }
  };

  const begin = (id: number): ServedCall => {
    const each = { controller: new AbortController() };
    open.set(id, each);
    return each;
  };

  const obey = (order: Order, body: Uint8Array) => {
    switch (order.kind) {
      case "open":
        transport = new ConnectTransport(order.endpoint);
        // Its code is loaded: from now on it is late whenever it does not answer.
        void report({ kind: "pong", rssBytes: Deno.memoryUsage().rss });
        return;
      case "unary":
        void unary(order.id, { ...order, body }, order.deadlineMs);
        return;
      case "stream":
        void stream(order.id, { ...order, body });
        return;
      case "more":
        open.get(order.id)?.more?.();
        return;
      case "cancel":
        open.get(order.id)?.controller.abort(new DOMException("Cancelled", "AbortError"));
        return;
      case "ping":
        void report({ kind: "pong", rssBytes: Deno.memoryUsage().rss });
    }
  };

  for await (const piece of input) {
    for (const { head, body } of reader.feed(piece)) obey(head, body);
  }
}

function failureOf(error: unknown): WireFailure {
  const why = oneLine(error instanceof Error ? error.message : String(error));
  return { kind: "unavailable", reason: `the gRPC process failed: ${why}` };
}
