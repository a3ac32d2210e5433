import { assertEquals } from "../support/assert.ts";
import { HubProcess } from "../support/hub_process.ts";
import { WsClient } from "../support/ws_client.ts";
import { complaintsOf } from "../support/complaints.ts";
import { CLOSES, configOf, TOKEN, TOKEN_PROTOCOL } from "./ended.ts";
import type { Report, StoryOptions } from "./web_story.ts";

/** What every client has to report, whoever wrote it. */
export const EXPECTED: Report = {
  protocol: "holdfast",
  first: "welcome",
  channels: ["notification"],
  answers: [
    { channels: ["notification", "heartbeat"] },
    { channels: ["notification"] },
    { id: "é 😀" },
  ],
  heartbeats: true,
  queryToken: "welcome",
  refused: [true, true],
  batch: { hasList: true, numbers: [4, 5, 6, 7, 8] },
  resumed: { recovered: true, gap: false, numbers: [2, 3] },
  ownClose: 1000,
  badMessages: { answers: 20, ...CLOSES.badMessages },
  tooBig: CLOSES.tooBig,
  shutdown: { told: "SERVER_SHUTDOWN", ...CLOSES.shutdown },
};

/**
 * Has a foreign client live through the story against a hub of its own, and checks what it reports
 * and that nobody else was told of its errors.
 */
export async function checkForeign(
  tell: (options: Omit<StoryOptions, "Socket">) => Promise<Report>,
  expected: Report = EXPECTED,
): Promise<void> {
  await using hub = await HubProcess.start(configOf());
  await using witness = await WsClient.connect(hub.ws({ token: TOKEN }));
  const telling = tell({ url: hub.url, token: TOKEN, tokenProtocol: TOKEN_PROTOCOL });
  const asked = witness.waitFor(({ data }) => data.n === 99, { timeoutMs: 60_000 });
  // A story that fails never asks.
  await Promise.race([asked, telling]);
  asked.catch(() => {});
  assertEquals(witness.codes, []);
  assertEquals(await hub.stop(), 0);
  assertEquals(await telling, expected);
  assertEquals(complaintsOf(hub), []);
}

/** Whether a program is installed. On a build machine, where `CI` is set, it must be. */
export function isInstalled(program: string): boolean {
  if (Deno.env.get("CI")) return true;
  try {
    const { success } = new Deno.Command(program, {
      args: ["--version"],
      stdout: "null",
      stderr: "null",
    }).outputSync();
    return success;
  } catch {
    return false;
  }
}

/** What a test's name says of a client that is missing. */
export function noteOf(isThere: boolean, what: string): string {
  return isThere ? "" : ` (left out: ${what} is not installed)`;
}
