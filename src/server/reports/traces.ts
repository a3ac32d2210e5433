import type { Span } from "@opentelemetry/api";
import type { FeedObserver, WorkEnd } from "../../feed/observer.ts";
import { logOf } from "../../telemetry/log.ts";

export interface TracesOptions {
  /** The environment, with OpenTelemetry's usual variables. */
  env: Readonly<Record<string, string | undefined>>;
  /** The version that runs. */
  version: string;
}

/** Whether the runtime was told to trace (`OTEL_DENO=true`; it takes nothing else for a yes). */
export function isTracingOn(env: TracesOptions["env"]): boolean {
  return env.OTEL_DENO?.toLowerCase() === "true" &&
    env.OTEL_SDK_DISABLED?.toLowerCase() !== "true";
}

/**
 * An observer that makes a span of each poll and each health check, with its outcome; a breaker that
 * changes is an event of the span in which it did. Where and how spans go is the runtime's business,
 * by the usual variables (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_SERVICE_NAME`, …): the call that a
 * poll makes over HTTP becomes a child of its span and carries its trace to the backend.
 *
 * `undefined` where tracing is off: then not even the library is loaded. Also where it was asked for
 * and the runtime cannot, which the log says: `deno compile` decides for an executable's life.
 */
export async function openTraces(options: TracesOptions): Promise<FeedObserver | undefined> {
  const { env, version } = options;
  if (!isTracingOn(env)) return undefined;
  const { SpanStatusCode, trace } = await import("@opentelemetry/api");
  const tracer = trace.getTracer("holdfast", version);
  // Never ended, so never sent.
  if (!tracer.startSpan("is anybody listening?").isRecording()) {
    logOf("server").warning("tracing.unavailable", {
      why: "this runtime does not trace; for an executable that is decided when it is compiled",
      effect: "no spans are sent",
    });
    return undefined;
  }

  function finish(span: Span, { outcome, reason }: WorkEnd): void {
    span.setAttribute("holdfast.outcome", outcome);
    if (reason !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
  }

  return {
    around({ kind, backend, method, channel }, run) {
      const name = kind === "health_check" ? `health check ${backend}` : `${kind} ${channel}`;
      const attributes = {
        "holdfast.backend": backend,
        "rpc.method": method,
        ...(channel === undefined ? {} : { "holdfast.channel": channel }),
      };
      // A root: a health check must not pass for a part of the poll that set it off.
      return tracer.startActiveSpan(name, { root: true, attributes }, async (span) => {
        try {
          const end = await run();
          finish(span, end);
          return end;
        } finally {
          span.end();
        }
      });
    },
    onBreaker(backend, to) {
      trace.getActiveSpan()?.addEvent(`breaker.${to}`, { "holdfast.backend": backend });
    },
  };
}
