import { assertEquals, assertFalse } from "../support/assert.ts";
import { HubProcess } from "../support/hub_process.ts";
import { HANDSHAKE_HEADERS, headText, TcpPeer } from "../support/tcp_peer.ts";
import { isOriginAllowed } from "../../src/server/door/origin.ts";

Deno.test("a Host or a target that is none is 400, and its query reaches no log", async () => {
  await using hub = await HubProcess.start({ sources: [] });
  for (
    const host of [
      "a b",
      "[",
      "@@@",
      "a:99999",
      "x:y",
      "%",
      "",
      "x\\metrics?",
      "a/metrics?",
      "u@a",
      "a#",
    ]
  ) {
    using peer = await TcpPeer.connect(hub.url);
    const headers = HANDSHAKE_HEADERS.filter(([name]) => name !== "Host");
    await peer.send(headText("GET /ws?token=secret HTTP/1.1", [["Host", host], ...headers]));
    await peer.waitForAnswer();
    assertEquals(peer.status, 400, host);
  }
  await hub.stop();
  assertFalse(JSON.stringify(hub.logs).includes("secret"));
});

Deno.test("an Origin without a host is nobody's own", () => {
  for (const origin of ["byEd:l5", "x:", "data:text/html,", "null"]) {
    const headers = new Headers({ origin });
    const request = { headers, host: "127.0.0.1", scheme: undefined };
    assertEquals(isOriginAllowed(request, []), false, origin);
  }
});
