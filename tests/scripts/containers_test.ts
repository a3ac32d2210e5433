import { validate } from "dockerfile-utils";
// Named so that it is installed; the compiler reads its files.
import type {} from "kubernetes-types/apps/v1";
import ts from "typescript";
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

/** What Kubernetes' own types say against manifests: unknown fields, missing ones, wrong kinds. */
async function objections(manifests: readonly Manifest[]): Promise<string[]> {
  const types = new URL("..", import.meta.resolve("kubernetes-types/core/v1.d.ts")).pathname;
  const lines = manifests.map((manifest, index) => {
    const group = manifest.apiVersion === "v1" ? "core/v1" : manifest.apiVersion;
    const type = `import("${types}${group}.d.ts").${manifest.kind}`;
    return `export const manifest${index}: ${type} = ${JSON.stringify(manifest)};`;
  });
  await using folder = await Folder.make();
  const file = `${folder.path}/manifests.ts`;
  await Deno.writeTextFile(file, lines.join("\n"));
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    types: [],
    lib: ["lib.es2022.d.ts"],
    allowImportingTsExtensions: true,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    module: ts.ModuleKind.ESNext,
  });
  return ts.getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "));
}

for (const file of ["single.yaml", "cluster.yaml"]) {
  Deno.test(`packaging/kubernetes/${file} has only fields that Kubernetes knows, of their types`, async () => {
    const found = Object.values(await manifests(file));
    assertEquals(await objections(found), []);
    const text = JSON.stringify(found);
    for (
      const [right, wrong, objection] of [
        ['"periodSeconds":', '"periodSecond":', /"periodSecond".* does not exist in type 'Probe'/],
        ['"containerPort":8787', '"containerPort":"http"', /'string' is not assignable .*'number'/],
        ['"serviceName"', '"servceName"', /"servceName".* does not exist/],
        ['"kind":"PodDisruptionBudget"', '"kind":"PodBudget"', /no exported member 'PodBudget'/],
        ['"selector":{"matchLabels"', '"selector":{"matchLabel"', /"matchLabel".* does not exist/],
      ] as const
    ) {
      if (!text.includes(right)) continue;
      const said = await objections(JSON.parse(text.replace(right, wrong)));
      assertMatch(said.join("\n"), objection);
    }
  });
}

const CONTAINERFILE = await Deno.readTextFile(new URL("Containerfile", PACKAGING));

/** What a parser of such files says against one. */
function slips(text: string): string[] {
  return validate(text).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`);
}

Deno.test("packaging/Containerfile is one to a parser of such files, and runs as nobody", () => {
  assertEquals(slips(CONTAINERFILE), []);
  for (
    const [right, wrong] of [
      ["ENTRYPOINT [", "ENTRPOINT ["],
      ["COPY --chmod", "COPY --chmd"],
      ["--interval=10s", "--interval=10"],
      ["EXPOSE 8787", "EXPOSE http"],
      ["STOPSIGNAL SIGTERM", "STOPSIGNAL"],
    ] as const
  ) {
    assert(CONTAINERFILE.includes(right), right);
    assertEquals(slips(CONTAINERFILE.replace(right, wrong)).length, 1, wrong);
  }
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
