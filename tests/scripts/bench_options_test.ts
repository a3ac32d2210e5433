import { readOptions, UsageError } from "../../scripts/bench/options.ts";
import { runComparison } from "../../scripts/bench/run_comparison.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../support/assert.ts";

Deno.test("readOptions() without arguments is a whole run, written to the docs", () => {
  const { rounds, only, peers, scale, output = "" } = readOptions([]);
  assertEquals([rounds, only, peers, scale.length], [5, undefined, undefined, 1]);
  assert(output.endsWith("docs/performance"), output);
});

Deno.test("readOptions() writes no part of a run to the docs", () => {
  for (const args of [["--quick"], ["--only", "tick"], ["--peers", "control,floor"]]) {
    assertEquals(readOptions(args).output, undefined, args.join(" "));
    assertEquals(readOptions([...args, "--output", "there"]).output, "there", args.join(" "));
  }
});

Deno.test("readOptions() tells what is wrong and what would be right", () => {
  for (
    const [args, expected] of [
      [["--rounds", "0"], 'whole number from 1 to 100: it is "0"'],
      [["--rounds", "many"], 'it is "many"'],
      [["--peers", "control,apache"], 'no peer "apache"; there are holdfast, holdfast_batch'],
      [["--what"], "--what"],
    ] as const
  ) {
    assertThrows(() => readOptions(args), UsageError, expected);
  }
});

Deno.test("runComparison() knows no workload of another name", async () => {
  await assertRejects(
    () => runComparison(readOptions(["--only", "tock"])),
    UsageError,
    'no workload "tock"; there are tick, tick/100',
  );
});

Deno.test("deno task bench hands a URL to the load client, and explains itself", async () => {
  const main = new URL("../../scripts/bench/main.ts", import.meta.url).pathname;
  const bench = async (...args: string[]) => {
    const command = new Deno.Command(Deno.execPath(), { args: ["run", "-A", main, ...args] });
    const { code, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
  };
  const [url, help, wrong] = await Promise.all([
    bench("http://192.0.2.1:1"),
    bench("--help"),
    bench("--rounds", "0"),
  ]);
  assert(url.text.includes("--yes-this-is-mine"), url.text); // as the load client says of it
  assertEquals(url.code, 2, url.text);
  assert(help.text.includes("--quick"), help.text);
  assertEquals(help.code, 0);
  assert(wrong.text.includes("--rounds must be"), wrong.text);
  assertEquals(wrong.code, 2);
});
