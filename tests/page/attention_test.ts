import { isNews } from "../../src/page/attention.ts";
import type { Standing } from "../../src/page/summary.ts";
import { assertEquals } from "../support/assert.ts";

/** What of a night somebody is called for, as each standing has held for a while. */
function calls(...night: Standing[]): Standing[] {
  let told: Standing | undefined;
  return night.filter((standing) => {
    const news = isNews(standing, told);
    if (news) told = standing;
    return news;
  });
}

Deno.test("isNews() calls when things get worse and when they are well again, not in between", () => {
  assertEquals(calls("good", "good"), []);
  assertEquals(calls("stale", "good"), ["stale", "good"]);
  assertEquals(calls("stale", "failed", "stale", "failed", "gone", "stale", "good", "stale"), [
    "stale",
    "failed",
    "gone",
    "good",
    "stale",
  ]);
});
