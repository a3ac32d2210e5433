/** Whether the files that a configuration names are there, and hold what they should. */
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { isAbsolute, join } from "node:path";
import type { FileTree } from "./load.ts";
import { type Problem, problemAt } from "./problems.ts";
import { readText } from "./read_file.ts";
import { SETTINGS } from "./schema.ts";
import type { FileKind, SettingNode } from "./traits.ts";
import { asObject, type Path, type Tree } from "./tree.ts";

/** What a file of a kind holds, and how that is called; the others are checked by who reads them. */
const CONTENT: { readonly [Kind in FileKind]?: readonly [holds: string, name: string] } = {
  certificate: ["-----BEGIN CERTIFICATE-----", "a certificate (PEM)"],
  private_key: ["PRIVATE KEY-----", "a private key (PEM)"],
  credentials: ["NKEY SEED-----", "a user's JWT and seed"],
};

interface NamedFile {
  readonly path: Path;
  readonly kind: FileKind;
  readonly file: string;
}

/** Every problem with the files that a configuration names; their names are not quoted. */
export async function checkFiles({ tree, origins, directory }: FileTree): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const group of filesIn(tree, SETTINGS.root, [])) {
    const texts = new Map<FileKind, string>();
    for (const { path, kind, file } of group) {
      const [holds, name] = CONTENT[kind] ?? [];
      if (holds === undefined || origins.overrides?.has(path.join("."))) continue;
      const text = await readText(isAbsolute(file) ? file : join(directory, file));
      if (typeof text !== "string") {
        const expected = `the path of a file with ${name}, from the configuration's folder`;
        problems.push(problemAt(path, origins, { found: text[0], expected }));
      } else if (!text.includes(holds)) {
        const found = `a file without ${name}`;
        problems.push(
          problemAt(path, origins, { found, expected: `the path of one with ${name}` }),
        );
      } else if (path.at(-1) === "cert" || path.at(-1) === "key") texts.set(kind, text);
    }
    const [certificate, key] = [texts.get("certificate"), texts.get("private_key")];
    const at = group.find(({ kind }) => kind === "private_key");
    if (certificate === undefined || key === undefined || at === undefined) continue;
    const found = mismatch(certificate, key);
    if (found === undefined) continue;
    const expected = `the key that belongs to "cert"`;
    problems.push(problemAt(at.path, origins, { found, expected }));
  }
  return problems;
}

/** The files that each object names, object by object. */
function filesIn(value: Tree, node: SettingNode, path: Path): NamedFile[][] {
  const members: [string | number, Tree][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(asObject(value) ?? {});
  const own: NamedFile[] = [];
  const below: NamedFile[][] = [];
  for (const [step, each] of members) {
    const child = node.child(step);
    if (child === undefined) continue;
    const { file: kind } = child.traits;
    const at = [...path, step];
    if (kind !== undefined && typeof each === "string" && each !== "") {
      own.push({ path: at, kind, file: each });
    } else below.push(...filesIn(each, child, at));
  }
  return own.length === 0 ? below : [own, ...below];
}

/** What is wrong between a certificate and a private key; undefined if they are a pair. */
function mismatch(certificate: string, key: string): string | undefined {
  let ofCertificate: Uint8Array;
  try {
    ofCertificate = spkiOf(new X509Certificate(certificate).publicKey);
  } catch {
    return "a key to a certificate that cannot be read";
  }
  try {
    const ofKey = spkiOf(createPublicKey(createPrivateKey(key) as unknown as string));
    return Buffer.compare(ofCertificate, ofKey) === 0
      ? undefined
      : "the key of another certificate";
  } catch {
    return "a private key that cannot be read, or one with a password";
  }
}

function spkiOf(key: ReturnType<typeof createPublicKey>): Uint8Array {
  return new Uint8Array(key.export({ type: "spki", format: "der" }) as Uint8Array);
}
