import type { FeedObserver, PollRecord, StreamRecord } from "../../feed/observer.ts";
import { Histogram } from "../../telemetry/histogram.ts";
import { counter, histogram, type Metric } from "../../telemetry/metrics.ts";

/** What the configuration asks for just now: nothing else is shown. */
export interface FeedScope {
  readonly backends: readonly string[];
  readonly sources: readonly { readonly channel: string; readonly backend: string }[];
}

/** Time a poll takes, in seconds: from a neighbour that answers at once to a timeout. */
const POLL_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const OUTCOMES = [
  "ok",
  "unavailable",
  "rejected",
  "unencodable",
] as const satisfies PollRecord["outcome"][];
const TRANSITIONS = ["open", "half_open", "closed"] as const;

type CountedTransition = typeof TRANSITIONS[number];

/** What was counted of one source. */
type PollFigures = Readonly<Record<PollRecord["outcome"], Histogram>>;

/** What was counted of one stream. */
type StreamFigures = Record<PollRecord["outcome"], number>;

/** What was counted of one backend. */
interface BackendFigures {
  calls: number;
  readonly transitions: Record<CountedTransition, number>;
}

/**
 * Keeps the books on polls and breakers. Holds one entry for each source and each backend; those
 * that a new configuration does without are forgotten when somebody looks.
 */
export class FeedMetrics implements FeedObserver {
  readonly #polls = new Map<string, PollFigures>();
  /** Sources that are streams, once there was anything on them. */
  readonly #streams = new Map<string, StreamFigures>();
  readonly #backends = new Map<string, BackendFigures>();

  onCall(backend: string): void {
    this.#backend(backend).calls += 1;
  }

  onPoll({ channel, backend, outcome, durationMs }: PollRecord): void {
    this.#source(channel, backend)[outcome].observe(durationMs / 1000);
  }

  onStream({ channel, backend, outcome }: StreamRecord): void {
    const key = keyOf(channel, backend);
    const figures = this.#streams.get(key) ?? { ...NOTHING_YET };
    figures[outcome] += 1;
    this.#streams.set(key, figures);
  }

  onBreaker(backend: string, to: CountedTransition): void {
    this.#backend(backend).transitions[to] += 1;
  }

  /** Everything counted, from 0 where nothing happened yet: an increase is seen from the first. */
  metrics({ backends, sources }: FeedScope): Metric[] {
    this.#keepOnly({ backends, sources });
    return [
      histogram(
        "holdfast_poll_duration_seconds",
        "Time polls took, retries included, by what came of them.",
        sources.flatMap(({ channel, backend }) =>
          OUTCOMES.map((outcome) => ({
            labels: { channel, backend, outcome },
            value: this.#source(channel, backend)[outcome].value(),
          }))
        ),
      ),
      counter(
        "holdfast_stream_events_total",
        "Values that streams gave, and ends of streams, by what they were.",
        sources.flatMap(({ channel, backend }) => {
          const figures = this.#streams.get(keyOf(channel, backend));
          if (figures === undefined) return [];
          return OUTCOMES.map((outcome) => ({
            labels: { channel, backend, outcome },
            value: figures[outcome],
          }));
        }),
      ),
      counter(
        "holdfast_backend_calls_total",
        "Calls made to backends; retries and health checks count too.",
        backends.map((backend) => ({
          labels: { backend },
          value: this.#backend(backend).calls,
        })),
      ),
      counter(
        "holdfast_breaker_transitions_total",
        "How often breakers changed into a state.",
        backends.flatMap((backend) =>
          TRANSITIONS.map((to) => ({
            labels: { backend, to },
            value: this.#backend(backend).transitions[to],
          }))
        ),
      ),
    ];
  }

  #source(channel: string, backend: string): PollFigures {
    const key = keyOf(channel, backend);
    let figures = this.#polls.get(key);
    if (figures === undefined) {
      figures = {
        ok: new Histogram(POLL_BOUNDS),
        unavailable: new Histogram(POLL_BOUNDS),
        rejected: new Histogram(POLL_BOUNDS),
        unencodable: new Histogram(POLL_BOUNDS),
      };
      this.#polls.set(key, figures);
    }
    return figures;
  }

  #backend(name: string): BackendFigures {
    let figures = this.#backends.get(name);
    if (figures === undefined) {
      figures = { calls: 0, transitions: { open: 0, half_open: 0, closed: 0 } };
      this.#backends.set(name, figures);
    }
    return figures;
  }

  #keepOnly({ backends, sources }: FeedScope): void {
    const keys = new Set(sources.map(({ channel, backend }) => keyOf(channel, backend)));
    for (const key of this.#polls.keys()) if (!keys.has(key)) this.#polls.delete(key);
    for (const key of this.#streams.keys()) if (!keys.has(key)) this.#streams.delete(key);
    for (const name of this.#backends.keys()) {
      if (!backends.includes(name)) this.#backends.delete(name);
    }
  }
}

const NOTHING_YET: StreamFigures = { ok: 0, unavailable: 0, rejected: 0, unencodable: 0 };

/** A channel's name holds no space. */
function keyOf(channel: string, backend: string): string {
  return `${channel} ${backend}`;
}
