import { recording } from "../rpc/raw_server.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { HubProcess } from "../support/hub_process.ts";
import { eventually } from "../support/eventually.ts";

const SECRET = "Bearer s3cret-of-the-backend";

function backend(url: string, proxy?: string) {
  return {
    transport: "http-json",
    url,
    headers: { authorization: SECRET },
    retry: { attempts: 1 },
    timeout: "1s",
    ...(proxy === undefined ? {} : { proxy }),
  };
}

Deno.test("C05: proxy variables lead nothing astray that was not told to follow them", async () => {
  const { server: proxy, requests: atProxy } = recording();
  await using _proxy = proxy;
  const { server: home, requests: atHome } = recording();
  await using _home = home;
  const env = Object.fromEntries(
    ["http_proxy", "https_proxy", "all_proxy"].flatMap((name) => [
      [name, proxy.url],
      [name.toUpperCase(), proxy.url],
    ]),
  );
  await using hub = await HubProcess.start({
    backends: {
      home: backend(home.url),
      home_by_proxy: backend(home.url, "environment"),
      away: backend("http://backend.invalid/", "none"),
      followed: backend("http://backend.invalid/", "environment"),
      named: backend("http://other.invalid/", proxy.url),
    },
    sources: ["home", "home_by_proxy", "away", "followed", "named"].map((name) => ({
      channel: name,
      backend: name,
      method: name,
      every: "1h",
      stale_after: "3h",
    })),
  }, { env });
  const lastError = () =>
    hub.logs.find(({ event, channel }) => event === "poll.failed" && channel === "away")?.why;
  await eventually(
    "every source was tried",
    () => atHome.length + atProxy.length === 4 && lastError() !== undefined,
  );
  assertEquals(
    atHome.map((request) => request.split(" ")[1]).sort(),
    ["/home", "/home_by_proxy"],
  );
  assertEquals(atProxy.map((request) => request.split(" ")[1]).sort(), [
    "http://backend.invalid/followed",
    "http://other.invalid/named",
  ]);
  assertStringIncludes(String(lastError()), "GET http://backend.invalid/away: name not found");
  assert(!JSON.stringify(atProxy).includes("/away"));
});
