import { parse } from "jsonc-parser";
import { assert, assertEquals } from "../support/assert.ts";
import { freePort } from "../support/free_port.ts";
import { HubProcess } from "../support/hub_process.ts";
import { hasNatsServer } from "../support/nats.ts";
import { Watched } from "../support/until.ts";
import { documents } from "./documents.ts";
import { commandsIn, fencedBlocks } from "./fenced_blocks.ts";
import { hasProgram } from "./programs.ts";
import { substitute } from "./substitute.ts";

const text = documents().get("docs/cluster.md") ?? "";

function blockOf(language: string): string {
  return fencedBlocks(text).find((block) => block.language === language)?.code ?? "";
}

/** Makes the certificates as the document says, for a server on this machine. */
async function makeCertificates(folder: string): Promise<void> {
  const commands = commandsIn("docs/cluster.md", text).filter((each) =>
    each.text.startsWith("openssl ")
  );
  assertEquals(commands.length, 3);
  for (const command of commands) {
    const { success, stderr } = await new Deno.Command("sh", {
      args: ["-euc", command.text.replaceAll("nats-1.example.com", "localhost")],
      cwd: folder,
      stdout: "null",
      stderr: "piped",
    }).output();
    assert(success, new TextDecoder().decode(stderr));
  }
}

Deno.test({
  name: "docs/cluster.md: a hub leads over the NATS that is configured there",
  ignore: !hasNatsServer() || !hasProgram("openssl", "openssl"),
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "holdfast-test-" });
    const port = freePort();
    try {
      await makeCertificates(folder);
      // The server alone: what makes it one of three is in a block of its own.
      const alone = blockOf("conf").replace(/\ncluster \{\n[^]*?\n\}\n/, "\n");
      assert(!alone.includes("routes"));
      const conf = substitute(alone, {
        "0.0.0.0:4222": `127.0.0.1:${port}`,
        "/var/lib/nats": `${folder}/store`,
      });
      await Deno.writeTextFile(`${folder}/nats.conf`, conf);
      const config = parse(substitute(blockOf("jsonc"), {
        "nats-1.example.com:4222": `localhost:${port}`,
        '"ca.pem"': JSON.stringify(`${folder}/ca.pem`),
      })) as Record<string, object>;
      // Nobody answers at the backend's address; a leader is one all the same.
      const hubConfig = { ...config, backends: {}, sources: [] };

      const env = { NATS_PASSWORD: "s3cret-of-nats" };
      const nats = new Deno.Command("nats-server", {
        args: ["--config", "nats.conf"],
        cwd: folder,
        env: { ...env, PATH: `${Deno.env.get("PATH")}:/usr/sbin` },
        stdout: "null",
        stderr: "piped",
      }).spawn();
      const said = Object.assign(new Watched(), { text: "" });
      const reading = (async () => {
        for await (const part of nats.stderr.pipeThrough(new TextDecoderStream())) {
          said.text += part;
          said.changed();
        }
      })();
      try {
        await said.until(() => said.text.includes("Server is ready") || undefined, {
          explain: () => `NATS is not ready: ${said.text}`,
        });
        await using hub = await HubProcess.start(hubConfig, { env });
        const leading = await hub.waitForLog("cluster.leading");
        assertEquals(leading.level, "info");
        assert(!JSON.stringify(hub.logs).includes(env.NATS_PASSWORD));
        assertEquals(await hub.stop(), 0);
      } finally {
        nats.kill("SIGKILL");
        await Promise.all([nats.status, reading]);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
