import type { PatchOperation } from "./delta.ts";

/** A list or an object that a patch has made anew, and may go on changing. */
type Fresh = WeakSet<object>;

/**
 * A value with a JSON Patch applied (RFC 6902, as far as a hub uses it: `add`, `remove`, `replace`).
 * The value itself stays as it is; what has not changed is shared with the result. Members keep
 * their places, and those that are added come last.
 *
 * @throws {TypeError} If the patch does not fit the value.
 */
export function applyPatch(value: unknown, patch: readonly PatchOperation[]): unknown {
  const fresh: Fresh = new WeakSet();
  let root = value;
  for (const operation of patch) root = applyOne(root, operation, fresh);
  return root;
}

function applyOne(root: unknown, operation: PatchOperation, fresh: Fresh): unknown {
  const tokens = tokensOf(operation.path);
  const last = tokens.pop();
  if (last === undefined) {
    if (operation.op === "remove") throw new TypeError("Cannot remove the whole value");
    return operation.value;
  }
  const newRoot = own(root, fresh);
  let parent = newRoot;
  for (const token of tokens) {
    const child = own(childOf(parent, token), fresh);
    set(parent, token, child);
    parent = child;
  }
  if (Array.isArray(parent)) changeList(parent, last, operation);
  else changeObject(parent, last, operation);
  return newRoot;
}

/** The same list or object, or a copy of it where others may hold it. */
function own(value: unknown, fresh: Fresh): object {
  if (typeof value !== "object" || value === null) {
    throw new TypeError("Cannot apply a patch as its path leads through what has no parts");
  }
  if (fresh.has(value)) return value;
  const copy = Array.isArray(value) ? [...value] : { ...value };
  fresh.add(copy);
  return copy;
}

function childOf(parent: object, token: string): unknown {
  if (!Object.hasOwn(parent, token)) throw missing(token);
  return (parent as Record<string, unknown>)[token];
}

/** Sets a member as JSON's reader does: also one that is called `__proto__`. */
function set(parent: object, token: string, value: unknown): void {
  const descriptor = { value, writable: true, enumerable: true, configurable: true };
  Object.defineProperty(parent, token, descriptor);
}

function changeObject(parent: object, name: string, operation: PatchOperation): void {
  if (operation.op !== "add" && !Object.hasOwn(parent, name)) throw missing(name);
  if (operation.op === "remove") delete (parent as Record<string, unknown>)[name];
  else set(parent, name, operation.value);
}

function changeList(parent: unknown[], token: string, operation: PatchOperation): void {
  const isEnd = operation.op === "add" && token === "-";
  const at = isEnd ? parent.length : /^(?:0|[1-9]\d*)$/.test(token) ? Number(token) : NaN;
  if (!(at < parent.length + (operation.op === "add" ? 1 : 0))) throw missing(token);
  if (operation.op === "add") parent.splice(at, 0, operation.value);
  else if (operation.op === "remove") parent.splice(at, 1);
  else parent[at] = operation.value;
}

function tokensOf(path: string): string[] {
  const [first, ...tokens] = path.split("/");
  if (first !== "") throw new TypeError("Cannot apply a patch as a path does not begin with /");
  return tokens.map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function missing(token: string): TypeError {
  return new TypeError(`Cannot apply a patch as there is no ${JSON.stringify(token.slice(0, 64))}`);
}
