import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { acceptCheck } from "../../src/service/accept_check.ts";
import { cert, key } from "../rpc/self_signed.ts";

const { signal: never } = new AbortController();

function serve(handler: Deno.ServeHandler, options: Partial<Deno.TlsCertifiedKeyPem> = {}) {
  const { cert, key } = options;
  const tls = cert !== undefined && key !== undefined ? { cert, key } : {};
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {}, ...tls }, handler);
}

Deno.test("acceptCheck() asks /healthz over a new connection each time", async () => {
  const asked: string[] = [];
  const ports = new Set<number>();
  await using server = serve((request, { remoteAddr }) => {
    asked.push(`${request.method} ${new URL(request.url).pathname}`);
    if (remoteAddr.transport === "tcp") ports.add(remoteAddr.port);
    return new Response("ok");
  });
  // As a hub that listens on every address tells of itself.
  const check = acceptCheck(() => `http://0.0.0.0:${server.addr.port}`);
  for (let i = 0; i < 3; i++) assert(await check(never));
  assertEquals([asked, ports.size], [Array(3).fill("GET /healthz"), 3]);
});

Deno.test("acceptCheck() fails, with a reason, on an answer that is none", async () => {
  await using server = serve(() => new Response("", { status: 500 }));
  await assertRejects(
    async () => await acceptCheck(() => `http://127.0.0.1:${server.addr.port}`)(never),
    Error,
    "/healthz answered 500",
  );
});

Deno.test("acceptCheck() fails where nobody listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await assertRejects(async () => await acceptCheck(() => `http://127.0.0.1:${port}`)(never));
  await assertRejects(async () => await acceptCheck(() => `https://127.0.0.1:${port}`)(never));
});

Deno.test("acceptCheck() passes for a certificate that nobody here trusts", async () => {
  await using server = serve(() => new Response("ok"), { cert, key });
  assert(await acceptCheck(() => `https://127.0.0.1:${server.addr.port}`)(never));
});

Deno.test("acceptCheck() ends with its signal", async () => {
  const { promise: held, resolve } = Promise.withResolvers<void>();
  const { promise: asked, resolve: onAsked } = Promise.withResolvers<void>();
  await using server = serve(async () => {
    onAsked();
    await held;
    return new Response("ok");
  });
  const abort = new AbortController();
  const checking = acceptCheck(() => `http://127.0.0.1:${server.addr.port}`)(abort.signal);
  await asked;
  abort.abort(new Error("late"));
  await assertRejects(async () => await checking, Error, "late");
  resolve();
});

Deno.test("C05: acceptCheck() goes through no proxy, whatever the environment names", async () => {
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const proxy = `http://127.0.0.1:${closed.addr.port}`;
  closed.close();
  await using server = serve(() => new Response("ok"));
  const names = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"];
  const before = names.map((name) => [name, Deno.env.get(name)] as const);
  try {
    for (const name of names) Deno.env.set(name, proxy);
    assert(await acceptCheck(() => `http://127.0.0.1:${server.addr.port}`)(never));
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
});
