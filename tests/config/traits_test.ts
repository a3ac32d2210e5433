import { configJsonSchema } from "../../src/config/json_schema.ts";
import { SETTINGS } from "../../src/config/schema.ts";
import type { SettingNode } from "../../src/config/traits.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("SettingMap.at() knows what the schema says of each setting", () => {
  const at = (...path: (string | number)[]) => SETTINGS.at(path);
  assertEquals(at("backends", "core", "timeout"), { unit: "ms", reloads: true });
  assertEquals(at("backends", "core", "retry", "min").unit, "ms");
  assertEquals(at("backends", "core", "url"), { url: true, reloads: true });
  assertEquals(at("backends", "core", "headers", "authorization").secret, true);
  assertEquals(at("sources", 3, "params", "a", 0).secret, true);
  assertEquals(at("auth", "tokens", 0, "token"), { secret: true, reloads: true });
  assertEquals(at("auth", "jwt", "secret").secret, true);
  assertEquals(at("auth", "jwt", 1, "secret").secret, true);
  assertEquals(at("cluster", "nats").url, true);
  assertEquals(at("cluster", "nats", 1).url, true);
  assertEquals(at("tls", "key"), { file: "private_key", reloads: true });
  assertEquals(at("backends", "jobs", "tls", "ca").file, "certificate");
  assertEquals(at("log", "level").reloads, true);
  for (const path of [["log"], ["log", "format"], ["tls"], ["hub", "max_clients"], ["listen"]]) {
    assertEquals(SETTINGS.at(path).reloads, undefined, path.join("."));
  }
  assertEquals(at("no", "such", "thing"), {});
});

Deno.test("SettingMap.at() knows every duration there is", () => {
  const found = new Set<string>();
  const walk = (node: SettingNode) => {
    for (const key of node.keys ?? []) {
      const child = node.child(key);
      if (child?.traits.unit === "ms") found.add(key);
      if (child !== undefined) walk(child);
    }
    const element = node.keys === undefined ? node.child(0) : undefined;
    if (element !== undefined) walk(element);
  };
  walk(SETTINGS.root);
  assertEquals([...found].sort(), [...durationsOf(configJsonSchema())].sort());
});

/** Names of the properties whose pattern is a duration's. */
function durationsOf(schema: unknown): Set<string> {
  if (typeof schema !== "object" || schema === null) return new Set();
  return new Set(
    Object.entries(schema).flatMap(([key, value]) => [
      ...(String(value?.pattern).includes("(ms|s|m|h|d)") ? [key] : []),
      ...durationsOf(value),
    ]),
  );
}

Deno.test("every setting that is named like a secret is one", () => {
  const named = /secret|token|password|nkey|key$/;
  const open = new Set(["tokens", "key"]);
  const walk = (node: SettingNode, path: string) => {
    for (const key of node.keys ?? []) {
      const child = node.child(key);
      if (child === undefined) continue;
      const isKnown = child.traits.secret || child.traits.file !== undefined || open.has(key);
      assert(!named.test(key) || isKnown, `${path}.${key}`);
      walk(child, `${path}.${key}`);
    }
    const element = node.keys === undefined ? node.child(0) : undefined;
    if (element !== undefined) walk(element, path);
  };
  walk(SETTINGS.root, "");
});
