import type { Clock } from "../../resilience/clock.ts";
import type { ProxyEnvironment } from "../../rpc/http/proxy.ts";
import { HttpClient } from "../../rpc/http/http_client.ts";
import { logOf } from "../../telemetry/log.ts";
import type { Incident } from "../incident.ts";
import { callHook } from "./hook_call.ts";
import type { HookEvent } from "../../protocol/incident.ts";
import { hookPayload } from "./hook_event.ts";
import type { HookPlan } from "./hook_plan.ts";
import { type HookMessage, HookQueue, type HookReport } from "./hook_queue.ts";
import { type Due, HookSchedule, type ToldRecord } from "./hook_schedule.ts";
import { fillIn } from "./template.ts";

/** The longest time until it is looked whether something is due, in milliseconds. */
const LOOK_EVERY_MS = 1000;

/** Where what hooks are owed is kept for another life of the hub. */
export interface HookKeeper {
  told(hook: string, record: ToldRecord): void;
  done(hook: string, incident: string): void;
  added(hook: string, message: HookMessage): void;
  removed(hook: string, message: HookMessage): void;
}

/** What an earlier life of the hub owed one hook. */
export interface HookPast {
  readonly told: readonly ToldRecord[];
  readonly waiting: readonly HookMessage[];
}

export interface HooksOptions {
  clock: Clock;
  keeper?: HookKeeper;
  /** Whether it is this hub that calls, of several. Default: always. */
  isCaller?: () => boolean;
  /** For hooks with `proxy: "environment"`. Default: none. */
  proxyEnvironment?: ProxyEnvironment | undefined;
}

/**
 * Tells the hooks of incidents. Each has a queue and a loop of its own: one that fails or hangs delays
 * nobody.
 */
export class Hooks implements AsyncDisposable {
  readonly #options: HooksOptions;
  readonly #hooks = new Map<string, Hook>();

  constructor(options: HooksOptions) {
    this.#options = options;
  }

  /**
   * Puts these hooks into force. What one is owed that stays is kept, what one is owed that goes is
   * dropped.
   *
   * @param ongoing The incidents that last.
   * @param past What an earlier life of the hub owed new ones, by name.
   */
  apply(
    plans: readonly HookPlan[],
    ongoing: readonly Incident[],
    past: ReadonlyMap<string, HookPast> = new Map(),
  ): void {
    const wanted = new Map(plans.map((plan) => [plan.name, plan]));
    for (const [name, hook] of this.#hooks) {
      const plan = wanted.get(name);
      if (plan === undefined) {
        hook.forget();
        this.#hooks.delete(name);
      } else if (JSON.stringify(plan) !== JSON.stringify(hook.plan)) {
        void hook[Symbol.asyncDispose]();
        this.#hooks.set(name, this.#start(plan, ongoing, hook.past()));
      }
    }
    for (const [name, owed] of past) {
      if (!wanted.has(name)) dropAll(name, owed, this.#options.keeper);
    }
    for (const [name, plan] of wanted) {
      if (this.#hooks.has(name)) continue;
      // One that is new is told of what begins from now on, and not of what it was not there for.
      const before = past.get(name) ??
        { told: toldOfAll(ongoing, this.#options.clock), waiting: [] };
      this.#hooks.set(name, this.#start(plan, ongoing, before));
    }
  }

  began(incident: Incident): void {
    for (const hook of this.#hooks.values()) hook.began(incident);
  }

  ended(incident: Incident): void {
    for (const hook of this.#hooks.values()) hook.ended(incident);
  }

  /** What it happened to is not there any more: nothing more is said of it. */
  gone(incident: Incident): void {
    for (const hook of this.#hooks.values()) hook.gone(incident);
  }

  reports(): Record<string, HookReport> {
    return Object.fromEntries([...this.#hooks].map(([name, hook]) => [name, hook.report()]));
  }

  /** What each hook is owed, by name. */
  past(): Map<string, HookPast> {
    return new Map([...this.#hooks].map(([name, hook]) => [name, hook.past()]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#hooks.values()].map((hook) => hook[Symbol.asyncDispose]()));
  }

  #start(plan: HookPlan, ongoing: readonly Incident[], past: HookPast): Hook {
    return new Hook(plan, { ...this.#options, ongoing, past });
  }
}

interface HookOptions extends HooksOptions {
  ongoing: readonly Incident[];
  past: HookPast;
}

/** One hook: what it is told when, and what waits for it. */
class Hook implements AsyncDisposable {
  readonly plan: HookPlan;
  readonly #options: HookOptions;
  readonly #schedule: HookSchedule;
  readonly #queue: HookQueue;
  readonly #http: HttpClient;
  readonly #told = new Map<string, ToldRecord>();
  readonly #stop = new AbortController();

  constructor(plan: HookPlan, options: HookOptions) {
    const { clock, keeper, ongoing, past, proxyEnvironment = {} } = options;
    const { name: hook, proxy = "none" } = plan;
    const http = new HttpClient({ maxResponseBytes: 1, proxy, proxyEnvironment });
    this.#http = http;
    this.plan = plan;
    this.#options = options;
    this.#schedule = new HookSchedule(plan, {
      onTold: (record) => {
        this.#told.set(record.incident, record);
        keeper?.told(hook, record);
      },
      onDone: (incident) => {
        this.#told.delete(incident);
        keeper?.done(hook, incident);
      },
    });
    this.#queue = new HookQueue({
      hook,
      clock,
      call: (message, signal) => callHook(plan, message, { http, clock, signal }),
      onAdded: (message) => keeper?.added(hook, message),
      onRemoved: (message) => keeper?.removed(hook, message),
    });
    for (const record of past.told) this.#told.set(record.incident, record);
    this.#schedule.restore(ongoing, past.told);
    this.#queue.restore(past.waiting);
    void this.#queue.run(this.#stop.signal);
    void this.#watch(this.#stop.signal);
  }

  began(incident: Incident): void {
    this.#tell(this.#schedule.began(incident, this.#options.clock.unixMs()));
  }

  ended(incident: Incident): void {
    this.#tell(this.#schedule.ended(incident, this.#options.clock.unixMs()));
  }

  gone({ id }: Incident): void {
    this.#schedule.forget(id);
  }

  report(): HookReport {
    return this.#queue.report();
  }

  past(): HookPast {
    return { told: [...this.#told.values()], waiting: [...this.#queue.waiting()] };
  }

  /** Stops, and drops what it is owed. */
  forget(): void {
    void this[Symbol.asyncDispose]();
    dropAll(this.plan.name, this.past(), this.#options.keeper);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#http[Symbol.asyncDispose]();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    try {
      for (;;) {
        const inMs = this.#schedule.nextMs() - clock.unixMs();
        await clock.sleep(Math.min(LOOK_EVERY_MS, Math.max(1, inMs)), { signal });
        this.#tell(this.#schedule.due(clock.unixMs()));
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #tell(due: readonly Due[]): void {
    const { clock, isCaller = () => true } = this.#options;
    if (!isCaller()) return; // another hub tells it
    for (const { event, incident } of due) {
      this.#queue.add(bodyOf(this.plan, event, incident, clock.unixMs()));
    }
  }
}

/** Drops what a hook is owed that is configured no more. */
function dropAll(hook: string, { told, waiting }: HookPast, keeper: HookKeeper | undefined): void {
  for (const { incident } of told) keeper?.done(hook, incident);
  for (const message of waiting) keeper?.removed(hook, message);
  if (waiting.length === 0) return;
  logOf("incidents").warning("hook.removed", { hook, dropped: waiting.length });
}

/** The JSON text that a hook is sent. */
export function bodyOf(plan: HookPlan, event: HookEvent, incident: Incident, now: number): string {
  const payload = hookPayload(event, incident, now);
  return plan.body === undefined ? JSON.stringify(payload) : fillIn(plan.body, payload);
}

function toldOfAll(ongoing: readonly Incident[], clock: Clock): ToldRecord[] {
  return ongoing.map(({ id }) => ({ incident: id, toldMs: clock.unixMs() }));
}
