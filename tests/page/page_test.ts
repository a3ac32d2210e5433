import { createHash } from "node:crypto";
import { CLIENT_JS, CLIENT_TYPES, PAGE_HTML } from "../../src/page/built.ts";
import { PAGE_POLICY, pageHtml } from "../../src/page/page.ts";
import { assert, assertEquals, assertLess, assertStringIncludes } from "../support/assert.ts";
import { DEVELOPMENT_LOCK_FLAG } from "../support/command_line.ts";

/** What is inside the page's elements of one name. */
function insides(tag: string): string[] {
  const pattern = new RegExp(`<${tag}(?: [^>]*)?>([^]*?)</${tag}>`, "g");
  return [...PAGE_HTML.matchAll(pattern)].map(([, inside = ""]) => inside);
}

function source(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

Deno.test("the committed build is what `deno task page` builds now", async () => {
  const { pathname } = new URL("../../scripts/build_page.ts", import.meta.url);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", DEVELOPMENT_LOCK_FLAG, "--no-prompt", "--allow-all", pathname, "--check"],
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  assertStringIncludes(decoder.decode(stdout), "up to date");
});

Deno.test("the page is under 140 KB with all that it needs", () => {
  assertLess(new TextEncoder().encode(PAGE_HTML).length, 140_000);
  assertEquals(
    PAGE_HTML.match(
      /(?:src|href)="(?!data:|#|snapshot|status|incidents|metrics|client\.js)[^"]*"/g,
    ),
    null,
  );
});

Deno.test("PAGE_POLICY allows the page's own script and style and nothing else", () => {
  const policy = new Map(
    PAGE_POLICY.split("; ").map((each) => {
      const [name = "", ...sources] = each.split(" ");
      return [name, sources.join(" ")];
    }),
  );
  assertEquals([policy.get("script-src")], insides("script").map(source));
  assertEquals([policy.get("style-src")], insides("style").map(source));
  for (const name of ["default-src", "base-uri", "form-action", "frame-ancestors"]) {
    assertEquals(policy.get(name), "'none'", name);
  }
  assertEquals(policy.get("connect-src"), "'self'");
  assert(!/ style="| on[a-z]+="/.test(PAGE_HTML.replaceAll(/<(script|style)[^]*?<\/\1>/g, "")));
});

Deno.test("pageHtml() tells the page that a token is wanted, and no more", () => {
  assertEquals(pageHtml({ wantsToken: false }), PAGE_HTML);
  const asking = pageHtml({ wantsToken: true });
  assertEquals(asking.replace(' data-token="wanted"', ""), PAGE_HTML);
  assert(asking !== PAGE_HTML);
});

Deno.test("CLIENT_JS is one module without imports that exports the client", async () => {
  assertEquals(CLIENT_JS.match(/^import .*|\bimport\(/gm), null);
  assertEquals(CLIENT_TYPES.match(/^import .*| from "/gm), null);
  const client = await import(`data:text/javascript,${encodeURIComponent(CLIENT_JS)}`);
  assertEquals(typeof client.HoldfastClient, "function");
});
