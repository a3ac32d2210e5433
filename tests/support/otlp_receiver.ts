import { Watched } from "./until.ts";

/** A span as it came. */
export interface ReceivedSpan {
  readonly name: string;
  /** Who made it: `holdfast`, or the runtime. */
  readonly scope: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly events: readonly string[];
  /** What went wrong; empty where nothing did. */
  readonly error: string;
}

/** As much of OTLP's JSON (opentelemetry-proto, `trace/v1`) as is looked at. */
interface TraceExport {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string };
      readonly spans: readonly SpanJson[];
    }[];
  }[];
}

interface SpanJson {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes?: readonly {
    readonly key: string;
    readonly value: Readonly<Record<string, unknown>>;
  }[];
  readonly events?: readonly { readonly name: string }[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

const STATUS_ERROR = 2;

/** A collector that understands OTLP over HTTP, in JSON, and keeps the spans it is sent. */
export class OtlpReceiver implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = [];
  readonly #watched = new Watched();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#take(request),
    );
  }

  /** What a process needs in its environment to send its spans here, soon. */
  get env(): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "50",
    };
  }

  /** The first span that fits, waited for if it did not come yet. */
  waitFor(fits: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan> {
    return this.#watched.until(() => this.spans.find(fits), {
      explain: () => `no such span; came: ${this.spans.map(({ name }) => name).join(", ")}`,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #take(request: Request): Promise<Response> {
    const body = await request.json();
    if (new URL(request.url).pathname === "/v1/traces") {
      for (const { scopeSpans } of (body as TraceExport).resourceSpans) {
        for (const { scope, spans } of scopeSpans) {
          this.spans.push(...spans.map((span) => received(span, scope.name)));
        }
      }
      this.#watched.changed();
    }
    return Response.json({});
  }
}

function received(span: SpanJson, scope: string): ReceivedSpan {
  const { name, traceId, spanId, parentSpanId = "", attributes = [], events = [], status } = span;
  return {
    name,
    scope,
    traceId,
    spanId,
    parentSpanId,
    attributes: Object.fromEntries(
      attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]),
    ),
    events: events.map((event) => event.name),
    error: status?.code === STATUS_ERROR ? status.message ?? "" : "",
  };
}
