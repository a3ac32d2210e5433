import { parse } from "yaml";
import { assert, assertEquals } from "../support/assert.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { StateDir } from "../state/support.ts";
import { startApp } from "../support/hub_in_process.ts";
import { hasPromtool, promtool } from "../support/promtool.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { Scrape } from "../support/scrape.ts";

const FOLDER = new URL("../../docs/operations/", import.meta.url);

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
}

function read(name: string): string {
  return Deno.readTextFileSync(new URL(name, FOLDER));
}

const rulesFile = parse(read("alerts.yml")) as { groups: { rules: Rule[] }[] };
const rules = rulesFile.groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(read("grafana-dashboard.json")) as Dashboard;
const queries = dashboard.panels.flatMap(({ targets = [] }) => targets);

/** Metrics an expression speaks of, without what a histogram's parts add to its name. */
function namesIn(expression: string): string[] {
  const names = expression.match(/\b(?:holdfast|process)_[a-z_]+/g) ?? [];
  return names.map((name) => name.replace(/_(bucket|sum|count)$/, ""));
}

Deno.test({
  name: "alerts.yml passes promtool check rules and the tests of alerts_test.yml",
  ignore: !hasPromtool(),
  fn: async () => {
    const { pathname } = FOLDER;
    assertEquals(await promtool(["check", "rules", `${pathname}alerts.yml`]), "");
    assertEquals(await promtool(["test", "rules", `${pathname}alerts_test.yml`]), "");
  },
});

Deno.test("alerts.yml says of each alert how bad it is, what it is and what to do; each has a test", () => {
  const tests = read("alerts_test.yml");
  assert(rules.length > 10);
  for (const { alert, labels, annotations } of rules) {
    assert(["critical", "warning"].includes(labels.severity ?? ""), alert);
    assert((annotations.summary ?? "").length > 10, alert);
    assert((annotations.description ?? "").length > 40, alert);
    assert(tests.includes(alert), `${alert} has no test`);
  }
});

Deno.test("alerts.yml and the dashboard ask only for what a hub shows", async () => {
  await using backend = new RpcBackend();
  await using dir = await StateDir.make();
  await using app = await startApp({
    backends: { core: quickBackend(backend.url) },
    sources: [quickSource("system_status", "core")],
    hub: { heartbeat_every: "100ms" },
    // Nobody listens there: the hub does without, and shows what it would of a cluster.
    cluster: { nats: "nats://127.0.0.1:1", grace: "0s" },
    state: { dir: dir.path },
    workers: 2,
    hooks: [{ name: "ops", url: "http://127.0.0.1:1/" }],
  });
  let scrape = await Scrape.of(app);
  const isComplete = () =>
    scrape.get(`holdfast_snapshot_age_seconds{channel="system_status"}`) !== undefined &&
    scrape.text.includes("\nholdfast_frames_sent_total{");
  const reader = (await fetch(`${app.url}/events`)).body?.getReader();
  while (!isComplete()) {
    await reader?.read(); // something happened meanwhile
    scrape = await Scrape.of(app);
  }
  await reader?.cancel();
  const shown = new Set(scrape.names);
  for (const { expr } of [...rules, ...queries]) {
    for (const name of namesIn(expr)) assert(shown.has(name), `${name} in: ${expr}`);
  }
  const labels = new Set([...scrape.text.matchAll(/[{,]([a-z_]+)="/g)].map(([, name]) => name));
  for (const { legendFormat } of queries) {
    for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
      assert(label === "instance" || labels.has(label), `${label} in: ${legendFormat}`);
    }
  }
});

Deno.test("the dashboard explains each panel, and no two lie on one another", () => {
  assertEquals(dashboard.uid, "holdfast");
  assertEquals(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  const taken = new Set<string>();
  for (const { type, title, description = "", gridPos: { x, y, w, h } } of dashboard.panels) {
    assert(type === "row" || description.length > 5, title);
    assert(x + w <= 24, title);
    for (let at = 0; at < w * h; at++) {
      const cell = `${x + at % w} ${y + Math.floor(at / w)}`;
      assert(!taken.has(cell), `${title} lies on another panel`);
      taken.add(cell);
    }
  }
});

Deno.test({
  name: "the dashboard's queries are PromQL",
  ignore: !hasPromtool(),
  fn: async () => {
    const file = await Deno.makeTempFile({ suffix: ".yml" });
    try {
      const asRules = queries.map(({ expr }, at) => ({
        record: `query:${at}`,
        expr: expr.replaceAll("$__rate_interval", "5m").replaceAll("$__range", "1h"),
      }));
      // JSON is YAML.
      await Deno.writeTextFile(file, JSON.stringify({ groups: [{ name: "q", rules: asRules }] }));
      assert(queries.length > 20);
      assertEquals(await promtool(["check", "rules", file]), "");
    } finally {
      await Deno.remove(file);
    }
  },
});
