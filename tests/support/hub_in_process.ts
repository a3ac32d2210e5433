import { openBackend } from "../../src/cli/open_backend.ts";
import { openState } from "../../src/cli/open_state.ts";
import { checkConfigValue } from "../../src/config/parse.ts";
import { describeProblem } from "../../src/config/problems.ts";
import type { Config } from "../../src/config/schema.ts";
import { clientThreads } from "../../src/workers/client_thread_pool.ts";
import { App, type AppOptions } from "../../src/server/app.ts";

/**
 * How many threads serve the clients of hubs that do not say: with `HOLDFAST_TEST_WORKERS=2` whatever
 * is tested of one has to hold for several.
 */
const WORKERS = Number(Deno.env.get("HOLDFAST_TEST_WORKERS") ?? 1);

/** Checks a configuration as a file's would be; by default it listens on a free port. */
export function configOf(value: object): Config {
  const withDefaults = { listen: "127.0.0.1:0", workers: WORKERS, ...value };
  const parsed = checkConfigValue(withDefaults, { env: {}, name: "test" });
  if (parsed.ok) return parsed.config;
  throw new Error(parsed.problems.map(describeProblem).join("\n"));
}

/** The whole hub inside the test's own process, where leaks can be seen. */
export async function startApp(
  value: object,
  options: Partial<AppOptions> = {},
): Promise<App> {
  const config = configOf(value);
  const state = await openState(config);
  if (state && "takenBy" in state) throw new Error(`taken by ${state.takenBy}`);
  return await App.start(config, {
    version: "0.0.0-test",
    openBackend,
    openThreads: clientThreads(),
    ...(state ? { state } : {}),
    ...options,
  });
}

/** What it says of itself at `/status`: of the whole process, whichever thread is asked. */
// deno-lint-ignore no-explicit-any -- tests look into whatever came
export async function statusOf(app: App, token?: string): Promise<any> {
  const headers: HeadersInit = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return await (await fetch(`${app.url}/status`, { headers })).json();
}

/** Its WebSocket address. */
export function wsUrl(app: App): string {
  return `${app.url.replace(/^http/, "ws")}/ws`;
}
