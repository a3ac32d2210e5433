import * as z from "zod";
import { HOOK_EVENTS, HOOK_PLACEHOLDERS, type HookEvent } from "../protocol/incident.ts";
import { choice, duration, section, text, url } from "./fields.ts";
import { headers, proxy } from "./schema_backends.ts";
import { secret } from "./traits.ts";

const EVENTS = Object.keys(HOOK_EVENTS) as HookEvent[];

const DAY_MS = 86_400_000;

/** Headers the hub sets itself. */
const RESERVED_HEADER = /^(webhook-(id|timestamp|signature)|content-length|host)$/i;

const SECRET = 'base64 behind "whsec_", or any other text of up to 256 characters';

const pattern = text(/^[a-z*][a-z0-9_*-]{0,63}$/, 'a name, a pattern such as "agent_*", or "*"');

const patterns = (what: string) =>
  z.array(pattern, { error: `a list of ${what}, or ["*"] for all` }).default(["*"]);

const body = z.unknown().superRefine((value, context) => {
  for (const name of placeholdersIn(value)) {
    if ((HOOK_PLACEHOLDERS as readonly string[]).includes(name)) continue;
    context.addIssue({
      code: "custom",
      message: `placeholders among ${HOOK_PLACEHOLDERS.join(", ")}`,
      params: { found: `{{${name}}}` },
    });
  }
});

export const hookSchema = section({
  name: text(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, "a name of letters, digits, -, _ and .")
    .describe("What the hook is called in logs, /status and /metrics, which never show its url."),
  url: secret(url(["https", "http"])).describe(
    "Where it is told, by POST. Use ${ENV} if it is a secret.",
  ),
  secret: secret(text(/^.{1,256}$/s, SECRET).refine(isUsable, { error: SECRET })).exactOptional()
    .describe("Signs each call as Standard Webhooks say. Use ${ENV} to keep it out of the file."),
  on: z.array(choice(EVENTS), { error: `a list of ${EVENTS.join(", ")}` })
    .default([...EVENTS])
    .describe("What it is told: a backend's breaker opens (down) or closes, a value goes stale."),
  backends: patterns("backends' names").describe("Of which backends."),
  channels: patterns("channels' names").describe("Of which channels."),
  after: duration({ min: 0, max: 30 * DAY_MS }).prefault("0s")
    .describe("Only what lasts this long is told, and then its end too."),
  remind: duration({ min: 0, max: 30 * DAY_MS }).prefault("0s")
    .describe("Told again at this distance while it lasts; 0s is once."),
  headers: headers.refine(
    (given) => !Object.keys(given).some((name) => RESERVED_HEADER.test(name)),
    { error: "headers other than those that sign the call" },
  ).describe("Headers sent with every call. Use ${ENV} for secrets."),
  proxy,
  body: secret(body).exactOptional()
    .describe('The body as a JSON template, such as {"text": "{{text}}"}. Default: all of it.'),
});

function isUsable(text: string): boolean {
  if (!text.startsWith("whsec_")) return true;
  const base64 = text.slice("whsec_".length);
  return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) && base64.length % 4 === 0;
}

/** The names between braces anywhere in a body. */
function placeholdersIn(value: unknown): string[] {
  if (typeof value === "string") {
    return [...value.matchAll(/\{\{\s*([^{}|]*?)\s*(?:\|\s*escape\s*)?\}\}/g)]
      .map(([, name = ""]) => name);
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(placeholdersIn);
}
