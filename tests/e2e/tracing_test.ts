import { assert, assertEquals } from "../support/assert.ts";
import { isExecutable } from "../support/command_line.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { HubProcess } from "../support/hub_process.ts";
import { OtlpReceiver } from "../support/otlp_receiver.ts";
import { Watched } from "../support/until.ts";

/** A JSON-RPC backend that remembers the traces it was called in. */
class TracedBackend implements AsyncDisposable {
  readonly traceParents: string[] = [];
  status = 200;
  readonly #watched = new Watched();
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      this.traceParents.push(request.headers.get("traceparent") ?? "");
      this.#watched.changed();
      const { id } = await request.json();
      return Response.json({ jsonrpc: "2.0", id, result: { n: 1 } }, { status: this.status });
    },
  );

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Waits until it was called so often. */
  async called(times: number): Promise<void> {
    await this.#watched.until(() => this.traceParents.length >= times || undefined, {
      explain: () => `it was called ${this.traceParents.length} times`,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function configFor({ url }: TracedBackend, changes: object = {}): object {
  return {
    backends: { core: quickBackend(url) },
    sources: [quickSource("system_status", "core")],
    ...changes,
  };
}

Deno.test({
  name: "serve sends a span of each poll with its outcome, and the backend hears of its trace",
  ignore: isExecutable(),
  fn: async () => {
    await using collector = new OtlpReceiver();
    await using backend = new TracedBackend();
    await using hub = await HubProcess.start(configFor(backend), { env: collector.env });
    const poll = await collector.waitFor(({ name }) => name === "poll system_status");
    assertEquals(poll.attributes, {
      "holdfast.backend": "core",
      "holdfast.channel": "system_status",
      "holdfast.outcome": "ok",
      "rpc.method": "GetSystemStatus",
    });
    assertEquals([poll.scope, poll.parentSpanId, poll.error], ["holdfast", "", ""]);
    const call = await collector.waitFor(({ parentSpanId }) => parentSpanId === poll.spanId);
    assertEquals(call.traceId, poll.traceId);
    assert(
      backend.traceParents.includes(`00-${call.traceId}-${call.spanId}-01`),
      backend.traceParents.join(" "),
    );
    assertEquals(await hub.stop(), 0);
    assertEquals(hub.complaints, []);
  },
});

Deno.test({
  name: "serve sends breaker transitions as events of the spans they happened in",
  ignore: isExecutable(),
  fn: async () => {
    await using collector = new OtlpReceiver();
    await using backend = new TracedBackend();
    backend.status = 500;
    await using _hub = await HubProcess.start(configFor(backend), { env: collector.env });
    const opened = await collector.waitFor(({ events }) => events.includes("breaker.open"));
    assertEquals([opened.name, opened.attributes["holdfast.outcome"]], [
      "poll system_status",
      "unavailable",
    ]);
    assert(opened.error.includes("500"), opened.error);
    await collector.waitFor(({ attributes }) => attributes["holdfast.outcome"] === "refused");
    const failed = await collector.waitFor(({ name }) => name === "health check core");
    assertEquals([failed.parentSpanId, failed.attributes["holdfast.outcome"]], ["", "unavailable"]);
    backend.status = 200;
    const closed = await collector.waitFor(({ events }) => events.includes("breaker.closed"));
    assertEquals([closed.name, closed.parentSpanId], ["health check core", ""]);
  },
});

Deno.test({
  name: "serve warns that tokens in addresses reach the collector",
  ignore: isExecutable(),
  fn: async () => {
    await using collector = new OtlpReceiver();
    await using backend = new TracedBackend();
    const auth = { tokens: [{ name: "all", token: "long-enough-for-a-token", channels: ["*"] }] };
    await using hub = await HubProcess.start(configFor(backend, { auth }), { env: collector.env });
    assert(String((await hub.waitForLog("tracing.note")).note).includes("?token="));
  },
});

Deno.test("serve makes no span, and passes no trace on, unless tracing is switched on", async () => {
  await using collector = new OtlpReceiver();
  await using backend = new TracedBackend();
  const { OTEL_DENO: _, ...rest } = collector.env;
  await using hub = await HubProcess.start(configFor(backend), { env: rest });
  await backend.called(3);
  assertEquals(await hub.stop(), 0);
  assertEquals(new Set(backend.traceParents), new Set([""]));
  assertEquals(collector.spans, []);
});

Deno.test({
  // An executable traces if `OTEL_DENO=true` was set when it was compiled, and then always.
  name: "an executable that cannot trace says so",
  ignore: !isExecutable(),
  fn: async () => {
    await using collector = new OtlpReceiver();
    await using backend = new TracedBackend();
    await using hub = await HubProcess.start(configFor(backend), { env: collector.env });
    assertEquals((await hub.waitForLog("tracing.unavailable")).level, "warning");
    await backend.called(3);
    assertEquals(await hub.stop(), 0);
  },
});
