import { bench } from "../../src/cli/bench.ts";
import { incidents } from "../../src/cli/incidents.ts";
import { probe } from "../../src/cli/probe.ts";
import { publish } from "../../src/cli/publish.ts";
import { watch } from "../../src/cli/watch.ts";
import type { TargetFlags } from "../../src/cli/client_flags.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { OLD, RENEWED } from "../support/certificates.ts";
import { freePort } from "../support/free_port.ts";
import { startApp } from "../support/hub_in_process.ts";
import { FakeScreen, recordedIo } from "./fake_screen.ts";

const NO_HUB = "holdfast.invalid";
const quiet = () => new FakeScreen();

/** Every command that speaks to a hub, at the point where it says why it cannot. */
const COMMANDS: Readonly<
  Record<string, (url: string, flags: TargetFlags, enough: RegExp) => Promise<string>>
> = {
  async watch(url, flags, enough) {
    const stop = new AbortController();
    const io = recordedIo();
    const err = (line: string) => {
      io.errs.push(line);
      if (enough.test(line)) stop.abort();
    };
    const world = { screen: quiet(), signal: stop.signal, backoff: { minMs: 1, maxMs: 20 } };
    await watch(url, flags, { ...io, err }, world);
    return io.errs.join("\n");
  },
  async probe(url, flags) {
    const io = recordedIo();
    const signal = new AbortController().signal;
    await probe(url, { ...flags, for: "1s" }, io, { signal, patienceMs: 500 });
    return [...io.outs, ...io.errs].join("\n");
  },
  async bench(url, flags) {
    const io = recordedIo();
    const world = { signal: new AbortController().signal, screen: quiet() };
    const own = { clients: "1", for: "100ms", yesThisIsMine: true };
    await bench(url, { ...flags, ...own }, io, world);
    return [...io.outs, ...io.errs].join("\n");
  },
  async publish(url, flags, enough) {
    const stop = new AbortController();
    const io = recordedIo();
    const err = (line: string) => {
      io.errs.push(line);
      if (enough.test(line)) stop.abort();
    };
    await publish([url, "backup_status", "1"], flags, { ...io, err }, { signal: stop.signal });
    return [...io.outs, ...io.errs].join("\n");
  },
  async incidents(url, flags) {
    const io = recordedIo();
    await incidents(url, flags, io);
    return [...io.outs, ...io.errs].join("\n");
  },
};

async function secureHub(): Promise<
  AsyncDisposable & { readonly url: string; readonly ca: string; readonly otherCa: string }
> {
  const folder = await Deno.makeTempDir({ prefix: "holdfast-test-" });
  const [cert, key, otherCa] = ["cert.pem", "key.pem", "other.pem"].map((name) =>
    `${folder}/${name}`
  );
  assert(cert && key && otherCa);
  await Deno.writeTextFile(cert, OLD.cert);
  await Deno.writeTextFile(key, OLD.key);
  await Deno.writeTextFile(otherCa, RENEWED.cert);
  const app = await startApp({
    tls: { cert, key },
    channels: { backup_status: {} },
    shutdown: { drain: "10ms" },
  });
  return {
    url: app.url,
    ca: cert,
    otherCa,
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

for (const [name, run] of Object.entries(COMMANDS)) {
  Deno.test(`${name} tells a bad certificate, a name that does not resolve and a refusal apart`, async () => {
    await using hub = await secureHub();
    for (
      const [url, why, flags] of [
        [hub.url, "TLS certificate not trusted", {}],
        [hub.url, "TLS certificate not trusted", { ca: hub.otherCa }],
        [`http://${NO_HUB}`, "name not found", {}],
        [`http://127.0.0.1:${freePort()}`, "connection refused", {}],
      ] as const
    ) {
      assertStringIncludes(await run(url, flags, new RegExp(why)), why);
    }
  });

  Deno.test(`${name} --ca trusts the authority of a file`, async () => {
    await using hub = await secureHub();
    const said = await run(hub.url, { ca: hub.ca }, /connected|not accepted/);
    assert(!/certificate|cannot be reached/.test(said), said);
  });
}

Deno.test("--ca says what is wrong with its file, beside all other problems", async () => {
  const folder = await Deno.makeTempDir({ prefix: "holdfast-test-" });
  try {
    await Deno.writeTextFile(`${folder}/empty.pem`, "nothing");
    const damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    await Deno.writeTextFile(`${folder}/damaged.pem`, damaged);
    for (
      const [file, why] of [
        ["missing.pem", "which is not there"],
        ["empty.pem", "which holds no certificate"],
        ["damaged.pem", "whose certificates are damaged"],
      ] as const
    ) {
      const io = recordedIo();
      const flags = { ca: `${folder}/${file}`, since: "soon" };
      assertEquals(await incidents("https://127.0.0.1:1", flags, io), 2);
      assertStringIncludes(io.errs[0] ?? "", why);
      assertEquals(io.errs.length, 2);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
