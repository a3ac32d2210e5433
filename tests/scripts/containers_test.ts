import { parseAllDocuments } from "yaml";
import { loadConfigFile } from "../../src/config/load.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { startApp } from "../support/hub_in_process.ts";
import { hasProgram } from "../docs/programs.ts";
import { Folder } from "./folder.ts";

const PACKAGING = new URL("../../packaging/", import.meta.url);

/** As much of a manifest as is looked at here. */
// deno-lint-ignore no-explicit-any -- foreign data, read by its paths
type Manifest = any;

async function manifests(name: string): Promise<Record<string, Manifest>> {
  const text = await Deno.readTextFile(new URL(`kubernetes/${name}`, PACKAGING));
  const documents = parseAllDocuments(text, { strict: true, uniqueKeys: true });
  return Object.fromEntries(documents.map((each) => {
    assertEquals(each.errors, []);
    const value = each.toJS();
    for (const field of ["apiVersion", "kind"]) assertEquals(typeof value[field], "string");
    assertMatch(value.metadata.name, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
    return [value.kind, value];
  }));
}

for (
  const [file, kind] of [["single.yaml", "StatefulSet"], ["cluster.yaml", "Deployment"]] as const
) {
  Deno.test(`packaging/kubernetes/${file} fits together, and its configuration is one`, async () => {
    const found = await manifests(file);
    const { ConfigMap, Service, PodDisruptionBudget, [kind]: workload } = found;
    const { spec } = workload;
    const pod = spec.template.spec;
    const [container] = pod.containers;
    const labels = spec.template.metadata.labels;
    for (
      const selector of [
        spec.selector.matchLabels,
        Service.spec.selector,
        PodDisruptionBudget.spec.selector.matchLabels,
      ]
    ) assertEquals(selector, labels);

    await using folder = await Folder.make();
    const path = `${folder.path}/holdfast.jsonc`;
    await Deno.writeTextFile(path, ConfigMap.data["holdfast.jsonc"]);
    const loaded = await loadConfigFile(path, { env: { DASH_TOKEN: "a-token-of-some-length" } });
    assert(loaded.ok, JSON.stringify(loaded));
    const { config } = loaded;
    assert(pod.terminationGracePeriodSeconds * 1000 > config.shutdown.drain + 2000);
    assertEquals(container.ports[0].containerPort, config.listen.port);
    assertEquals(Service.spec.ports[0].targetPort, container.ports[0].name);
    assertEquals(container.readinessProbe.httpGet.path, "/readyz");
    for (const probe of [container.livenessProbe, container.startupProbe]) {
      assertEquals(probe.httpGet.path, "/healthz");
    }
    const volumes = [
      ...pod.volumes,
      ...(spec.volumeClaimTemplates ?? []).map((each: Manifest) => each.metadata),
    ].map(({ name }) => name).sort();
    assertEquals(container.volumeMounts.map(({ name }: Manifest) => name).sort(), volumes);
    assertEquals([pod.securityContext.runAsNonRoot, pod.securityContext.runAsUser], [true, 65532]);
    assertEquals(container.securityContext.readOnlyRootFilesystem, true);
    if (kind === "StatefulSet") {
      const mounts = container.volumeMounts.map(({ mountPath }: Manifest) => mountPath);
      assert(mounts.includes(config.state.dir), mounts.join());
      assertEquals(spec.replicas, 1);
    } else assert(config.cluster !== undefined && spec.replicas > 1);
  });
}

const CONTAINERFILE = await Deno.readTextFile(new URL("Containerfile", PACKAGING));

Deno.test("packaging/Containerfile runs as nobody and has only instructions there are", () => {
  const lines = CONTAINERFILE.replaceAll(/\\\n\s*/g, "").split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const known = /^(FROM|RUN|COPY|USER|ENV|VOLUME|EXPOSE|STOPSIGNAL|HEALTHCHECK|ENTRYPOINT|CMD) \S/;
  for (const line of lines) assertMatch(line, known);
  assertMatch(CONTAINERFILE, /^USER 65532:65532$/m);
  for (const [, list = ""] of CONTAINERFILE.matchAll(/(?:ENTRYPOINT|VOLUME|CMD) (\[.*\])$/gm)) {
    assertEquals(Array.isArray(JSON.parse(list)), true);
  }
});

Deno.test({
  name: "the health check of packaging/Containerfile holds for a hub that serves, and for no other",
  ignore: !hasProgram("bash", "bash"),
  fn: async () => {
    const [, list = ""] = /CMD (\["bash".*\])$/m.exec(CONTAINERFILE) ?? [];
    const [program, ...args] = JSON.parse(list) as [string, ...string[]];
    const check = async (port: number) => {
      const { success } = await new Deno.Command(program, {
        args,
        env: { HOLDFAST_LISTEN: `0.0.0.0:${port}` },
        stdout: "null",
        stderr: "null",
      }).output();
      return success;
    };
    const app = await startApp({ shutdown: { drain: "10ms" } });
    const port = Number(new URL(app.url).port);
    try {
      assertEquals(await check(port), true);
    } finally {
      await app[Symbol.asyncDispose]();
    }
    assertEquals(await check(port), false);
  },
});
