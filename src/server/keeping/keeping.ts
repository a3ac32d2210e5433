import type { BackendRecord } from "../../feed/backend_health.ts";
import type { BackendPlan } from "../../feed/guarded_backend.ts";
import { type IncidentKeeper, Incidents } from "../../incidents/incidents.ts";
import type { ErrorCode, ErrorEvent } from "../../protocol/error_event.ts";
import type { Clock } from "../../resilience/clock.ts";
import type { Change } from "../../state/change.ts";
import type { ProxyEnvironment } from "../../rpc/http/proxy.ts";
import type { State } from "../../state/state.ts";
import type { ValueStore } from "../../values/value_store.ts";
import type { Hub } from "../../hub/hub.ts";
import type { HubOptions } from "../../hub/hub_options.ts";
import { breakerChange, type BreakersPast, breakersPast } from "./breaker_records.ts";
import { incidentKeeper, incidentsPast } from "./incident_records.ts";
import { resumeKeeper, resumePast } from "./resume_records.ts";
import { UnsaidRecords } from "./unsaid_records.ts";
import { restoreValues, valueChanges, valueListener } from "./value_records.ts";

export interface KeepingOptions {
  clock: Clock;
  /** Undefined: nothing outlives the process. */
  state: State | undefined;
  /** How long incidents are kept, in milliseconds. */
  incidentsForMs: number;
  /** Whether it is this hub that calls hooks, of several. */
  isCaller: () => boolean;
  /** For hooks with `proxy: "environment"`. */
  proxyEnvironment: ProxyEnvironment | undefined;
}

/** What is to be known of channels. */
export interface ChannelFacts {
  /** Whether there is such a channel. */
  isThere: (channel: string) => boolean;
  /** Whether it was tried to get a value of it, in this life of the hub. */
  wasTried: (channel: string) => boolean;
  /** Whether other hubs have the same values, from a stream they share. */
  isShared: () => boolean;
}

/** Of a backend, what a breaker's end or beginning is told with. */
interface Failing {
  readonly consecutive_failures: number;
  readonly last_error: string | null;
}

/**
 * What is remembered of how things went: incidents, and all that another life of the hub needs. The
 * one place where rooms that do not know each other meet the state.
 */
export class Keeping {
  readonly incidents: Incidents;
  readonly #options: KeepingOptions;
  /** What the hub took while alone, of several that share a stream; undefined: it is not kept. */
  readonly unsaid: UnsaidRecords | undefined;
  #wasTried: (channel: string) => boolean = () => false;

  constructor(options: KeepingOptions) {
    const { clock, state, incidentsForMs, isCaller, proxyEnvironment } = options;
    this.#options = options;
    this.unsaid = state && new UnsaidRecords(state, (changes) => state.write(changes));
    this.incidents = new Incidents({
      clock,
      keepForMs: incidentsForMs,
      wasTried: (channel) => this.#wasTried(channel),
      isCaller,
      proxyEnvironment,
      ...(state ? { keeper: this.#incidentKeeper(), past: incidentsPast(state) } : {}),
    });
  }

  /** The hub's part; nothing where its numbers are those of a stream that others keep. */
  hubOptions({ isShared }: { isShared: boolean }): Pick<HubOptions, "keeper" | "past"> {
    const { state } = this.#options;
    if (state === undefined || isShared) return {};
    const past = resumePast(state);
    return { keeper: resumeKeeper((changes) => state.write(changes)), ...(past ? { past } : {}) };
  }

  /** Puts back the last values, and has those that come kept before anybody sees them. */
  joinValues(values: ValueStore, { isThere, wasTried, isShared }: ChannelFacts): void {
    const { state } = this.#options;
    this.#wasTried = wasTried;
    values.subscribe({
      onStanding: ({ channel, standing, feeder, status, why }) =>
        this.incidents.channelStands({
          channel,
          standing,
          isPublished: feeder.kind === "publisher",
          ...(why === undefined ? {} : { why }),
          // The value that went stale, which every hub has, though each sees that at its own moment.
          ...(isShared() && status ? { sharedMs: status.cached_at * 1000 } : {}),
        }),
    });
    if (state === undefined) return;
    restoreValues(values, state, isThere);
    values.subscribe(valueListener(values, (changes) => state.write(changes)));
  }

  /** Breakers as an earlier life left them. */
  breakersPast(plans: readonly BackendPlan[]): BreakersPast | undefined {
    const { state, clock } = this.#options;
    return state && breakersPast(state, plans, clock);
  }

  /** A breaker stands otherwise than before. */
  breakerChanged(plan: BackendPlan, record: BackendRecord | undefined): void {
    const { state, clock } = this.#options;
    state?.write([breakerChange(plan, record, clock)]);
  }

  /** Something is told to clients: of breakers, incidents begin and end. */
  errorTold(
    { code, data, details, timestamp }: {
      code: ErrorCode;
      data: ErrorEvent["data"];
      details: string | undefined;
      /** Where it was told by a stream that hubs share, in unix seconds. */
      timestamp?: number;
    },
    of: (backend: string) => Failing | undefined,
  ): void {
    const backend = data?.["backend"];
    if (typeof backend !== "string") return;
    if (code === "RPC_RECOVERED") this.incidents.backendUp(backend);
    else if (code === "CIRCUIT_OPEN") {
      const { last_error, consecutive_failures } = of(backend) ?? {};
      this.incidents.backendDown(backend, {
        cause: details ?? last_error ?? "it does not answer",
        ...(consecutive_failures === undefined ? {} : { failures: consecutive_failures }),
        ...(timestamp === undefined ? {} : { sharedMs: timestamp * 1000 }),
      });
    }
  }

  /** Says where all there is can be had, should the store have to begin anew. */
  joinState(
    { hub, values, breakers }: {
      hub: Hub;
      values: ValueStore;
      breakers: () => Iterable<readonly [BackendPlan, BackendRecord | undefined]>;
    },
  ): void {
    const { state, clock } = this.#options;
    state?.whenBehind(() => hub.beginEpoch());
    state?.dumpFrom(() => {
      const changes: Change[] = [];
      for (const each of values.records()) changes.push(...valueChanges(each));
      for (const [plan, record] of breakers()) {
        if (record) changes.push(breakerChange(plan, record, clock));
      }
      changes.push(...this.unsaid?.all() ?? []);
      hub.keepAll(resumeKeeper((more) => changes.push(...more)));
      this.incidents.keepAll(incidentKeeper((more) => changes.push(...more)));
      return changes;
    });
  }

  #incidentKeeper(): IncidentKeeper {
    const { state } = this.#options;
    return incidentKeeper((changes) => state?.write(changes));
  }
}
