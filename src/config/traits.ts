/**
 * What is known of a setting beside its form: whether a reload applies it, whether it is secret,
 * its unit, whether it names a file. Said once, at the schema, and asked by path: by what shows
 * settings, compares them, resolves their paths or checks their files.
 */
import * as z from "zod";
import type { Path } from "./tree.ts";

/** What a file has to hold. */
export type FileKind = "certificate" | "private_key" | "proto" | "credentials" | "folder";

export interface SettingTraits {
  /** A reload applies a change of it, and of all in it. Otherwise only a restart does. */
  readonly reloads?: true;
  /** Its value, or any part of it, may be a secret, and is never shown. */
  readonly secret?: true;
  /** Shown without login and query. */
  readonly url?: true;
  /** It may be a path: shown without its query. */
  readonly query?: true;
  readonly unit?: "ms";
  /** The path of such a file. */
  readonly file?: FileKind;
}

type SettingSchema = z.core.$ZodType;

const registry = z.registry<SettingTraits>();

/** Says something of a setting; give it the schema as it is used, or the inner part of that. */
export function withTraits<S extends SettingSchema>(schema: S, traits: SettingTraits): S {
  registry.add(schema, { ...registry.get(schema), ...traits });
  return schema;
}

/** A setting that a reload applies, with all in it. */
export function reloads<S extends SettingSchema>(schema: S): S {
  return withTraits(schema, { reloads: true });
}

/** A setting whose value is never shown. */
export function secret<S extends SettingSchema>(schema: S): S {
  return withTraits(schema, { secret: true });
}

/** A schema without what is wrapped around it: defaults, transformations, choices. */
interface Core {
  readonly traits: SettingTraits;
  /** More than one where a value may have one of several forms. */
  readonly forms: readonly z.core.$ZodTypes[];
}

function coreOf(schema: SettingSchema): Core {
  const { _zod: { def } } = schema as z.core.$ZodTypes;
  const own = registry.get(schema) ?? {};
  const inner = (() => {
    switch (def.type) {
      case "optional":
      case "nonoptional":
      case "nullable":
      case "default":
      case "prefault":
      case "readonly":
      case "catch":
        return coreOf(def.innerType);
      case "pipe":
        return coreOf(def.in);
      case "union": {
        const cores = def.options.map(coreOf);
        return {
          traits: Object.assign({}, ...cores.map(({ traits }) => traits)) as SettingTraits,
          forms: cores.flatMap(({ forms }) => forms),
        };
      }
      default:
        return { traits: {}, forms: [schema as z.core.$ZodTypes] };
    }
  })();
  return { traits: { ...inner.traits, ...own }, forms: inner.forms };
}

/** The schemas that a step leads to, over all forms. */
function childrenOf({ forms }: Core, step: string | number): SettingSchema[] {
  return forms.flatMap(({ _zod: { def } }): SettingSchema[] => {
    switch (def.type) {
      case "object": {
        const child = Object.hasOwn(def.shape, step) ? def.shape[step] : undefined;
        return child === undefined ? [] : [child];
      }
      case "array":
        return typeof step === "number" ? [def.element] : [];
      case "record":
        return [def.valueType];
      default:
        return [];
    }
  });
}

/** A place in the tree of settings. */
export interface SettingNode {
  /** Its own traits. */
  readonly traits: SettingTraits;
  /** Whether it is text, and no more than that. */
  readonly isText: boolean;
  /** The keys it may have; undefined where any key is a name that users give. */
  readonly keys: readonly string[] | undefined;
  /** The key that decides which of several forms an object has, with the forms by its value. */
  readonly choice:
    | { readonly key: string; readonly forms: ReadonlyMap<string, SettingNode> }
    | undefined;
  child(step: string | number): SettingNode | undefined;
}

function nodeOf(schemas: readonly SettingSchema[]): SettingNode {
  const cores = schemas.map(coreOf);
  const core: Core = {
    traits: Object.assign({}, ...cores.map(({ traits }) => traits)) as SettingTraits,
    forms: cores.flatMap(({ forms }) => forms),
  };
  const shapes = core.forms.flatMap(({ _zod: { def } }) =>
    def.type === "object" ? [def.shape] : []
  );
  return {
    traits: core.traits,
    isText: core.forms.some(({ _zod: { def } }) => def.type === "string"),
    keys: shapes.length === 0
      ? undefined
      : [...new Set(shapes.flatMap((each) => Object.keys(each)))],
    choice: choiceOf(schemas),
    child(step) {
      const children = childrenOf(core, step);
      return children.length === 0 ? undefined : nodeOf(children);
    },
  };
}

function choiceOf(schemas: readonly SettingSchema[]): SettingNode["choice"] {
  for (const schema of schemas) {
    const { _zod: { def } } = schema as z.core.$ZodTypes;
    if (def.type !== "union" || !("discriminator" in def)) continue;
    const key = String(def.discriminator);
    const forms = def.options.flatMap((option): [string, SettingNode][] => {
      const [only] = [...option._zod.propValues?.[key] ?? []];
      return typeof only === "string" ? [[only, nodeOf([option])]] : [];
    });
    return { key, forms: new Map(forms) };
  }
  return undefined;
}

/** Answers what is known of the settings of a schema, by path. */
export class SettingMap {
  readonly root: SettingNode;

  constructor(schema: SettingSchema) {
    this.root = nodeOf([schema]);
  }

  /** The traits of what stands at a path; secrecy and reloading are those of what it is in, too. */
  at(path: Path): SettingTraits {
    let node: SettingNode | undefined = this.root;
    let { reloads, secret } = node.traits;
    for (const step of path) {
      node = node?.child(step);
      reloads ??= node?.traits.reloads;
      secret ??= node?.traits.secret;
    }
    const { traits = {} } = node ?? {};
    return { ...traits, ...(reloads ? { reloads } : {}), ...(secret ? { secret } : {}) };
  }

  /**
   * Whether a secret has its place here: at this path, in what it is in, or in what belongs here.
   * Something wrong that stands here may be that secret, in the wrong form.
   */
  mayHoldSecret(path: Path): boolean {
    if (this.at(path).secret) return true;
    let node: SettingNode | undefined = this.root;
    for (const step of path) node = node?.child(step);
    return node !== undefined && hasSecretBelow(node);
  }
}

function hasSecretBelow(node: SettingNode): boolean {
  if (node.traits.secret || node.traits.url || node.traits.file === "private_key") return true;
  const members = node.keys === undefined
    ? [node.child(0) ?? node.child("")]
    : node.keys.map((key) => node.child(key));
  return members.some((each) => each !== undefined && hasSecretBelow(each));
}
