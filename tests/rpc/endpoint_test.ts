import { endpointOf } from "../../src/rpc/endpoint.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";

Deno.test("endpointOf() makes a header of the URL's user and password and takes them out", () => {
  const { url, headers } = endpointOf("http://us%40er:p%C3%A4ss@h:81/rpc?x=1#frag");
  assertEquals(url.href, "http://h:81/rpc?x=1");
  const [scheme, encoded = ""] = headers.get("authorization")?.split(" ") ?? [];
  assertEquals(scheme, "Basic");
  const bytes = Uint8Array.from(atob(encoded), (each) => each.charCodeAt(0));
  assertEquals(new TextDecoder().decode(bytes), "us@er:päss");
});

Deno.test("endpointOf() keeps an Authorization header that is given", () => {
  const { url, headers } = endpointOf("http://u:p@h/", { Authorization: "Bearer t" });
  assertEquals(headers.get("authorization"), "Bearer t");
  assertEquals(url.href, "http://h/");
});

Deno.test("endpointOf() takes wrongly encoded userinfo as it stands", () => {
  const { headers } = endpointOf("http://u:100%25%@h/");
  assert(headers.has("authorization"));
});

Deno.test("endpointOf() refuses what is no http URL without repeating it", () => {
  for (const url of ["", "h:p", "ftp://u:hunter2@h/", "//u:hunter2@h", "http://u:hunter2@"]) {
    const error = assertThrows(() => endpointOf(url), RangeError, "'url' must be an http:// or");
    assert(!error.message.includes("hunter2"));
  }
});

Deno.test("endpointOf() names a bad header but not its value", () => {
  for (
    const [name, value] of [["x-key", "hunter2\nx"], ["x-key", "hunter2—"], ["x key", "hunter2"]]
  ) {
    if (name === undefined || value === undefined) continue;
    const error = assertThrows(() => endpointOf("http://h/", { [name]: value }), RangeError, name);
    assert(!error.message.includes("hunter2"));
  }
});
