import { systemClock } from "../../src/resilience/clock.ts";
import { Hooks } from "../../src/incidents/hooks/hooks.ts";
import type { Incident } from "../../src/incidents/incident.ts";
import { hookPlans } from "../../src/server/hook_plans.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { configOf } from "../config/support.ts";
import { HookServer, type Received } from "../incidents/hooks/support.ts";
import { documents } from "./documents.ts";
import { fencedBlocks } from "./fenced_blocks.ts";

const text = documents().get("docs/hooks.md") ?? "";

/** What each tool demands of a call; why it would refuse one. */
const TOOLS: Readonly<Record<string, (call: Received) => string | undefined>> = {
  slack: (call) => {
    const { text, ...rest } = bodyOf(call);
    if (typeof text !== "string" || text.trim() === "") return "no_text";
    if (/[<>]/.test(text)) return "markup that could be a mention";
    return Object.keys(rest).length > 0 ? "invalid_payload" : undefined;
  },
  mattermost: (call) => {
    const { text, username } = bodyOf(call);
    if (typeof text !== "string" || text === "") return "No text specified";
    if ([...text].length > 16_383) return "too long";
    return typeof username === "string" ? undefined : "username";
  },
  discord: (call) => {
    const { content, allowed_mentions } = bodyOf(call);
    if (typeof content !== "string" || content === "") return "Cannot send an empty message";
    if (content.length > 2000) return "Must be 2000 or fewer in length";
    return Array.isArray(allowed_mentions?.parse) ? undefined : "allowed_mentions";
  },
  ntfy: (call) => {
    const { topic, message, tags, priority, title } = bodyOf(call);
    if (call.path !== "/") return "JSON is published at the root";
    if (call.headers.get("authorization") !== "Bearer NTFY_TOKEN") return "unauthorized";
    if (typeof topic !== "string" || !/^[-_A-Za-z0-9]{1,64}$/.test(topic)) return "topic";
    if (typeof message !== "string" || typeof title !== "string") return "message";
    if (!Array.isArray(tags) || tags.some((each) => typeof each !== "string")) return "tags";
    return Number.isInteger(priority) && priority >= 1 && priority <= 5 ? undefined : "priority";
  },
  alertmanager: (call) => {
    if (call.path !== "/api/v2/alerts") return "404";
    const alerts = bodyOf(call);
    if (!Array.isArray(alerts) || alerts.length === 0) return "not a list";
    for (const { labels, annotations, startsAt, endsAt } of alerts) {
      if (!labels?.alertname) return "no alertname";
      for (const [name, value] of [...Object.entries(labels), ...Object.entries(annotations)]) {
        if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) return `name ${name}`;
        if (typeof value !== "string" || value === "") return `value of ${name}`;
      }
      if (!isTime(startsAt)) return "startsAt";
      if (endsAt !== undefined && !(isTime(endsAt) && endsAt >= startsAt)) return "endsAt";
    }
    return undefined;
  },
};

// deno-lint-ignore no-explicit-any -- whatever a recipe made of it
function bodyOf({ headers, text }: Received): any {
  assertEquals(headers.get("content-type"), "application/json");
  return JSON.parse(text);
}

function isTime(text: unknown): boolean {
  return typeof text === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text);
}

/** A recipe with its variables filled in as for this server. */
function recipe(name: string, url: string): string {
  const block = fencedBlocks(text).find(({ code }) => code.startsWith(`// ${name}\n`));
  assert(block, `docs/hooks.md has no recipe for ${name}`);
  const { origin } = new URL(url);
  return (
    block.code.replace(/\$\{\w+_URL\}/, name === "ntfy" ? `${origin}/` : origin)
      .replace(/\$\{(\w+)\}/g, "$1").replace(/"after": "1m"/, '"after": "0s"')
  );
}

const INCIDENT: Incident = {
  id: "backend_down-1",
  kind: "backend_down",
  backend: "core",
  startedMs: Date.now() - 5000,
  cause: `the answer is <!channel> & "${"long ".repeat(90)}"`,
  failures: 3,
  times: 1,
};

for (const [name, refusal] of Object.entries(TOOLS)) {
  Deno.test(`the recipe for ${name} in docs/hooks.md is what ${name} takes`, async () => {
    const refused: string[] = [];
    await using server = new HookServer((call) => {
      const why = refusal(call);
      if (why !== undefined) refused.push(`${why}: ${call.text.slice(0, 300)}`);
      return why === undefined ? 200 : 400;
    });
    const { hooks: configured } = configOf(recipe(name, server.url));
    await using hooks = new Hooks({ clock: systemClock });
    hooks.apply(hookPlans(configured), []);
    hooks.began(INCIDENT);
    hooks.ended({ ...INCIDENT, endedMs: Date.now() });
    await eventually("both are told", () => server.received.length === 2);
    await eventually(
      "both are taken",
      () => hooks.reports()[name]?.delivered === 2 || refused.length > 0,
    );
    assertEquals(refused, []);
  });
}
