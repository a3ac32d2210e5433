/** What of a configuration a problem may show: never a secret, nor what may be one out of place. */
import { meant } from "./suggest.ts";
import { KEY_ALIASES } from "./aliases.ts";
import type { SettingMap, SettingNode } from "./traits.ts";
import { type Path, pathText } from "./tree.ts";

/** Header names that are no secrets; any other may be the value, the two being swapped. */
const HEADER_NAMES =
  /^(accept|authorization|content-type|cookie|host|origin|proxy-authorization|referer|user-agent|x-[a-z-]{1,40})$/i;

/** What the name of a setting, or of a parameter, looks like. */
const USUAL_NAME = /^[A-Za-z_$][A-Za-z_-]{0,31}$/;

/** Stands in a path for a key that is not shown. */
const HIDDEN = "…";

/** A path as problems show it: keys that may be secrets are left out. */
export function shownPath(path: Path, settings: SettingMap): string {
  const shown = path.map((step, at) =>
    typeof step === "number" || mayShowKey(step, path.slice(0, at), settings) ? step : HIDDEN
  );
  return pathText(shown).replaceAll(`[${JSON.stringify(HIDDEN)}]`, `[${HIDDEN}]`);
}

/**
 * Whether a key may be shown that stands at a path. One that is no setting's name may be a secret
 * where a secret's place is next to it, and so may whatever stands in headers and parameters.
 */
export function mayShowKey(key: string, path: Path, settings: SettingMap): boolean {
  let node: SettingNode | undefined = settings.root;
  for (const step of path) node = node?.child(step);
  if (settings.at(path).secret) {
    const isHeaders = node?.child("") !== undefined;
    return (isHeaders ? HEADER_NAMES : USUAL_NAME).test(key);
  }
  if (node?.keys === undefined) return true; // a name that users give
  if (node.keys.includes(key) || meant(key, node.keys, KEY_ALIASES) !== undefined) return true;
  return USUAL_NAME.test(key) && !hasSecretNearby(node, path.length === 0);
}

/**
 * Whether a value that is wrong may be the secret whose place is beside it: a token's name and the
 * token swapped, say.
 */
export function isBesideSecret(path: Path, settings: SettingMap): boolean {
  let parent: SettingNode | undefined = settings.root;
  for (const step of path.slice(0, -1)) parent = parent?.child(step);
  const node = parent?.child(path.at(-1) ?? "");
  if (parent === undefined || !node?.isText || node.traits.unit || node.traits.url) return false;
  return hasSecretNearby(parent, path.length === 1);
}

/** Whether a secret's place is among an object's members, or in a list among them. */
function hasSecretNearby(node: SettingNode, isTop: boolean): boolean {
  return (node.keys ?? []).some((key) => {
    const child = node.child(key);
    if (child === undefined) return false;
    if (child.isText) return child.traits.secret || child.traits.file === "private_key";
    const element = isTop ? undefined : child.child(0);
    return element?.keys?.some((each) => element.child(each)?.traits.secret);
  });
}
