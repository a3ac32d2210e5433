import { type LogLevel, startLogs } from "../../src/telemetry/log.ts";
import { Watched } from "../support/until.ts";

/** A line of the log. */
export interface Line {
  readonly event: string;
  readonly level: string;
  readonly [field: string]: unknown;
}

/** What is logged while a test runs. */
export class Logged implements AsyncDisposable {
  readonly lines: Line[] = [];
  readonly #watched = new Watched();
  #logs: AsyncDisposable | undefined;

  static start(level: LogLevel = "info"): Logged {
    const logged = new Logged();
    logged.#logs = startLogs({
      level,
      format: "json",
      write: (text) => {
        logged.lines.push(JSON.parse(text));
        logged.#watched.changed();
      },
    });
    return logged;
  }

  of(event: string): Line[] {
    return this.lines.filter((line) => line.event === event);
  }

  async waitFor(event: string): Promise<Line> {
    return await this.#watched.until(() => this.of(event)[0], { explain: () => `no ${event}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#logs?.[Symbol.asyncDispose]();
  }
}

/** An environment of a test's own. */
export function environment(variables: Readonly<Record<string, string>>) {
  const left = new Map(Object.entries(variables));
  return {
    left,
    get: (name: string) => left.get(name),
    delete: (name: string) => {
      left.delete(name);
    },
  };
}

/**
 * Whether a program of systemd is there. On a build machine, where `CI` is set, it must be: there a
 * test that needs it fails instead of being left out.
 */
export function hasProgram(program: string): boolean {
  if (Deno.env.get("CI")) return true;
  try {
    return new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
}
