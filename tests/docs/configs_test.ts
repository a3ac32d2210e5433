import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { OLD as CERTIFIED } from "../support/certificates.ts";
import { runHoldfast } from "../support/command_line.ts";
import { hasPromtool, promtool } from "../support/promtool.ts";
import { documents } from "./documents.ts";
import { fencedBlocks } from "./fenced_blocks.ts";
import { substitute } from "./substitute.ts";

/** Files that the documents' configurations name. */
const FILES: Readonly<Record<string, string>> = {
  "ca.pem": CERTIFIED.cert,
  "client.pem": CERTIFIED.cert,
  "client.key": CERTIFIED.key,
  "jobs.proto": `syntax = "proto3";
package acme.jobs.v1;
message Query { string queue_name = 1; }
message Status { int64 waiting = 1; }
service Jobs {
  rpc GetStatus(Query) returns (Status);
  rpc Watch(Query) returns (stream Status);
}
`,
};

/** A secret for each variable that a text asks for. */
function secretsFor(text: string): Record<string, string> {
  const names = [...text.matchAll(/\$\{([A-Z_]+)\}/g)].map(([, name = ""]) => name);
  return Object.fromEntries(names.map((name) => [
    name,
    name.endsWith("_URL") ? "https://hooks.example.com/T0/B0" : `${name}-of-a-sufficient-length`,
  ]));
}

const configs = [...documents()].flatMap(([name, text]) =>
  fencedBlocks(text).filter(({ language }) => language === "jsonc")
    .map(({ code, line }) => ({ place: `${name}:${line}`, code }))
);

for (const { place, code } of configs) {
  Deno.test({
    name: `the configuration at ${place} is valid, and none of its settings is risky`,
    // docs/grpc.md says so itself: on this runtime such a "tls" is an error.
    ignore: Deno.version.deno.startsWith("2.4.") && /"grpc"[^]*"tls"/.test(code),
    fn: async () => {
      const folder = await Deno.makeTempDir({ prefix: "holdfast-test-" });
      try {
        for (const [name, text] of Object.entries({ ...FILES, "hub.jsonc": code })) {
          await Deno.writeTextFile(`${folder}/${name}`, text);
        }
        const args = ["config", "check", `${folder}/hub.jsonc`];
        const { code: exit, stdout, stderr } = await runHoldfast(args, secretsFor(code));
        assertEquals(exit, 0, stderr);
        assert(
          !/anyone may connect|unencrypted|fewer than|no source/.test(stdout + stderr),
          stdout,
        );
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

Deno.test("documents: there are configurations to check", () => {
  assert(configs.length >= 3, String(configs.length));
});

Deno.test({
  name: "the prometheus.yml of docs/operations.md is valid and calls the job as the alerts do",
  ignore: !hasPromtool(),
  fn: async () => {
    const blocks = fencedBlocks(documents().get("docs/operations.md") ?? "");
    const yaml = blocks.find(({ language }) => language === "yaml")?.code ?? "";
    const alerts = new URL("../../docs/operations/alerts.yml", import.meta.url);
    const [, job = "none"] = /job="([^"]+)"/.exec(await Deno.readTextFile(alerts)) ?? [];
    assertStringIncludes(yaml, `job_name: ${job}\n`);
    const folder = await Deno.makeTempDir({ prefix: "holdfast-test-" });
    try {
      await Deno.writeTextFile(`${folder}/token`, "secret");
      const text = substitute(yaml, {
        "/etc/prometheus/holdfast.token": `${folder}/token`,
        "/etc/prometheus/rules/holdfast.yml": alerts.pathname,
      });
      await Deno.writeTextFile(`${folder}/prometheus.yml`, text);
      assertEquals(await promtool(["check", "config", `${folder}/prometheus.yml`]), "");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
