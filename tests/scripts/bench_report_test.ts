import type { Measured } from "../../scripts/bench/compare.ts";
import { caseTable } from "../../scripts/bench/report/case_table.ts";
import { markdownReport } from "../../scripts/bench/report/markdown_report.ts";
import { PLOTS } from "../../scripts/bench/report/plots.ts";
import { OVERVIEW_NOTE, overviewTable } from "../../scripts/bench/report/overview_table.ts";
import { svgPlot } from "../../scripts/bench/report/svg_plot.ts";
import { textReport } from "../../scripts/bench/report/text_report.ts";
import { withResults, writeReport } from "../../scripts/bench/report/write_report.ts";
import type { Results } from "../../scripts/bench/results.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "../support/assert.ts";
import { Folder } from "./folder.ts";

const NAMES = { holdfast: "Holdfast", control: "bare <Deno>", floor: "floor (C)" };

function sample(peer: string, cpuPerDeliveryUs: number, faults: string[] = []): Measured {
  const figures = { cpuPerDeliveryUs, p99Ms: 10 * cpuPerDeliveryUs };
  return { round: 1, case: "tick/5000", peer, figures, faults };
}

const RESULTS: Results = {
  date: "2026-01-31",
  machine: { cpu: "a processor", cores: 2, memoryGib: 8, kernel: "linux 6.1" },
  rounds: 1,
  pinned: true,
  cases: [{ id: "tick/5000", title: "tick & more" }],
  peers: Object.entries(NAMES).map(([name, label]) => ({ name, label, version: `${name} 1` })),
  absent: [{ name: "bun", why: "there is no npm" }],
  samples: [
    sample("control", 8), // its turn came first
    sample("floor", 4),
    sample("holdfast", 6),
  ],
};

Deno.test("caseTable() tells figures and their ratios, in the order of the list", () => {
  assertEquals(caseTable(RESULTS, "tick/5000"), {
    title: "tick & more",
    words: 1,
    columns: [
      "",
      "CPU per delivery",
      ": control",
      ": floor",
      "last client, p99",
      ": control",
      ": floor",
      "runs",
    ],
    rows: [
      ["Holdfast", "6.00 µs", "0.75", "1.50", "60.0 ms", "0.75", "1.50", "1"],
      ["bare <Deno>", "8.00 µs", "1.00", "2.00", "80.0 ms", "1.00", "2.00", "1"],
      ["floor (C)", "4.00 µs", "0.50", "1.00", "40.0 ms", "0.50", "1.00", "1"],
    ],
  });
});

Deno.test("overviewTable() marks the best of each column, and no limit that nobody would run", () => {
  const results = {
    ...RESULTS,
    cases: [...RESULTS.cases, { id: "tick/100", title: "" }, { id: "idle/5000", title: "" }],
    peers: [...RESULTS.peers, { name: "ws", label: "Node ws", version: "1" }],
    samples: [
      ...RESULTS.samples,
      sample("ws", 5),
      { ...sample("ws", 1), case: "tick/100" }, // the case of 5,000 is there: this one is not told
      {
        round: 1,
        case: "idle/5000",
        peer: "holdfast",
        figures: { rssPerConnectionKib: 9 },
        faults: [],
      },
    ],
  };
  const table = overviewTable(results, (cell) => `<${cell}>`);
  assertEquals(table, {
    title: "At a glance",
    words: 1,
    columns: ["", "tick, CPU", "tick, p99", "idle, memory"],
    rows: [
      ["Holdfast", "6.00 µs", "60.0 ms", "<9.0 KiB>"],
      ["bare <Deno>", "8.00 µs", "80.0 ms", "–"],
      ["floor (C)", "4.00 µs", "40.0 ms", "–"],
      ["Node ws", "<5.00 µs>", "<50.0 ms>", "–"],
    ],
  });
  assertEquals(overviewTable({ ...results, samples: [] }, String), undefined);
});

Deno.test("both reports begin with the table at a glance", () => {
  const markdown = markdownReport(RESULTS);
  assertMatch(markdown, /^## At a glance\n\n\| {2}\| tick, CPU \| tick, p99 \|/);
  assertStringIncludes(markdown, "| Holdfast | **6.00 µs** | **60.0 ms** |");
  assertStringIncludes(markdown, OVERVIEW_NOTE);
  assertMatch(textReport(RESULTS), /^At a glance\n.*\nHoldfast +\*6\.00 µs +\*60\.0 ms\n/);
});

Deno.test("a report names what is not measured, and why", () => {
  assertMatch(markdownReport(RESULTS), /\| Centrifugo \| not measured: \S.* \|/);
  assertMatch(markdownReport(RESULTS), /\| Mercure \| not measured: \S.* \|/);
});

Deno.test("a run that failed is told as failed, never with its figures", () => {
  const results = {
    ...RESULTS,
    samples: [sample("control", 8), sample("holdfast", 0.1, ["3 messages were altered"])],
  };
  const [own] = caseTable(results, "tick/5000").rows;
  assertEquals(own, ["Holdfast", "–", "–", "–", "–", "1, 1 FAILED"]);
  for (const text of [textReport(results), markdownReport(results)]) {
    assertStringIncludes(text, "Holdfast: 3 messages were altered");
    assert(!text.includes("0.10"), text);
  }
});

Deno.test("both reports tell the goals and who was absent", () => {
  const text = textReport(RESULTS);
  assertMatch(text, /tick at 5,000: CPU per delivery, to control +0\.75 +at most 1\.05 +reached/);
  assertStringIncludes(text, "absent: bun: there is no npm");
  const markdown = markdownReport(RESULTS);
  assertMatch(
    markdown,
    /\| tick at 5,000: CPU per delivery, to control \| 1\.05 \| 0\.75 \| reached/,
  );
  assertStringIncludes(markdown, "| bun | absent: there is no npm |");
  assertStringIncludes(markdown, "a processor, 2 cores, 8 GiB, linux 6.1; medians of 1 rounds");
  assertStringIncludes(markdown, "| Holdfast | holdfast 1 |");
});

Deno.test("svgPlot() draws bars to scale, for light and dark", () => {
  const [plot] = PLOTS;
  assert(plot);
  const svg = svgPlot(RESULTS, plot);
  assert(svg);
  const widths = [...svg.matchAll(/<rect class="(\w+)" x="\d+" y="\d+" width="([\d.]+)"/g)]
    .map(([, kind, width]) => [kind, Number(width)] as const);
  assertEquals(widths.map(([kind]) => kind), ["own", "reference", "reference"]);
  const [own = 0, control = 0, floor = 0] = widths.map(([, width]) => width);
  assert(Math.abs(own / control - 6 / 8) < 0.01, String(own / control));
  assert(Math.abs(floor / control - 4 / 8) < 0.01, String(floor / control));
  assertStringIncludes(svg, "6.00 µs  (0.75 of control)");
  assertStringIncludes(svg, "prefers-color-scheme: dark");
  assertStringIncludes(svg, "bare &lt;Deno&gt;".replace("&gt;", ">"));
  assertStringIncludes(svg, "tick &amp; more");
  assertMatch(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 \d+ \d+"/);
});

Deno.test("svgPlot() draws nothing of a figure that nobody has", () => {
  const plot = PLOTS.find(({ figure }) => figure === "rssPerConnectionKib");
  assert(plot);
  assertEquals(svgPlot(RESULTS, plot), undefined);
});

Deno.test("withResults() changes what is between the markers and nothing else", () => {
  const [begin, end] = ["<!-- results: written by deno task bench -->", "<!-- /results -->"];
  const document = `# Title\n\n${begin}\nold\n${end}\n\nMore.\n`;
  assertEquals(
    withResults(document, "new"),
    `# Title\n\n${begin}\n\nnew\n\n${end}\n\nMore.\n`,
  );
  for (const wrong of ["none", `${end}${begin}`, `${begin}${begin}${end}`]) {
    assertThrows(() => withResults(wrong, "new"), Error, "each once");
  }
});

Deno.test("writeReport() writes results, tables and pictures that look formatted", async () => {
  await using folder = await Folder.make();
  const written = await writeReport(RESULTS, `${folder.path}/performance`);
  const names = written.map((path) => path.slice(path.lastIndexOf("/") + 1));
  assertEquals(names, ["results.json", "README.md", "cpu.svg", "completion.svg"]);
  const [raw = ""] = written;
  assertEquals(JSON.parse(await Deno.readTextFile(raw)), RESULTS);
  const again = await writeReport(RESULTS, `${folder.path}/performance`);
  assertEquals(again, written);
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--check", "--config", config, ...written.slice(0, 2)],
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
});
