import type { Incident } from "../../../src/incidents/incident.ts";
import type { HookPlan } from "../../../src/incidents/hooks/hook_plan.ts";

export function planOf(plan: Partial<HookPlan> = {}): HookPlan {
  return {
    name: "ops",
    url: "http://127.0.0.1:1/",
    on: ["down", "up", "stale", "fresh"],
    backends: ["*"],
    channels: ["*"],
    afterMs: 0,
    remindMs: 0,
    headers: {},
    ...plan,
  };
}

export function down(incident: Partial<Incident> = {}): Incident {
  return {
    id: "i-1",
    kind: "backend_down",
    backend: "core",
    startedMs: 1_764_000_000_000,
    cause: "connection refused",
    failures: 3,
    times: 1,
    ...incident,
  };
}

/** A call that a hook got. */
export interface Received {
  readonly path: string;
  readonly headers: Headers;
  readonly text: string;
}

/** A server that hooks call; `answer` decides what it says. */
export class HookServer implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(answer: (call: Received, count: number) => number | Promise<number> = () => 204) {
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      async (request) => {
        const { pathname } = new URL(request.url);
        const call = { path: pathname, headers: request.headers, text: await request.text() };
        this.received.push(call);
        return new Response(null, { status: await answer(call, this.received.length) });
      },
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/hook`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
