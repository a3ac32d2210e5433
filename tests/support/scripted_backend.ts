import { type Backend, type Call, type Outcome, valueOutcome } from "../../src/rpc/backend.ts";

/** What a scripted backend says to a call; a promise that stays open is a backend that hangs. */
export type Script = (call: Call, signal: AbortSignal) => Outcome | Promise<Outcome>;

/** A backend in process, under a test's control. It keeps the books on who calls it, and when. */
export class ScriptedBackend implements Backend {
  readonly calls: string[] = [];
  /** Calls under way now, by method. */
  readonly active = new Map<string, number>();
  /** Most calls of one method that were ever under way at once. */
  mostAtOnce = 0;
  isClosed = false;
  script: Script;

  constructor(script: Script) {
    this.script = script;
  }

  async call(call: Call, { signal }: { signal: AbortSignal }): Promise<Outcome> {
    const { method } = call;
    this.calls.push(method);
    const atOnce = (this.active.get(method) ?? 0) + 1;
    this.active.set(method, atOnce);
    this.mostAtOnce = Math.max(this.mostAtOnce, atOnce);
    try {
      return await this.script(call, signal);
    } finally {
      this.active.set(method, (this.active.get(method) ?? 1) - 1);
    }
  }

  /** How often a method was called. */
  count(method: string): number {
    return this.calls.filter((each) => each === method).length;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

export function ok(value: unknown): Outcome {
  return valueOutcome(value);
}

export function unavailable(reason = "connection refused"): Outcome {
  return { kind: "unavailable", reason };
}

export function rejected(reason = "method not found"): Outcome {
  return { kind: "rejected", reason };
}

/** Never answers; gives up when told to, as a well-behaved adapter does. */
export function hang(signal: AbortSignal): Promise<Outcome> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
