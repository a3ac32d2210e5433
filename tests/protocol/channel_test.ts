import {
  channelKind,
  isChannelName,
  isStatusChannel,
  SubscriptionSet,
  typesOf,
} from "../../src/protocol/channel.ts";
import { assert, assertEquals, assertFalse } from "../support/assert.ts";

Deno.test("isChannelName() takes the grammar of the contract and nothing else", () => {
  const good = ["a", "system_status", "x9_", `a${"b".repeat(63)}`];
  const bad = [
    "",
    "A",
    "9a",
    "_a",
    "a-b",
    "a.b",
    " a",
    "a ",
    "a\n",
    "ä",
    "aÄ",
    "a\u0000",
    `a${"b".repeat(64)}`,
  ];
  assertEquals(good.filter((name) => !isChannelName(name)), []);
  assertEquals(bad.filter((name) => isChannelName(name)), []);
});

Deno.test("channelKind() tells the hub's own channels, events and values apart", () => {
  const kinds = ["error", "rpc_error", "connection_error", "heartbeat", "notification", "my_own"]
    .map(channelKind);
  assertEquals(kinds, ["hub", "hub", "hub", "hub", "event", "status"]);
});

Deno.test("isStatusChannel() refuses the hub's own types and names outside the grammar", () => {
  assert(isStatusChannel("system_status"));
  assert(isStatusChannel("anything_else"));
  for (const name of ["notification", "error", "heartbeat", "welcome", "pong", "subscribed", "A"]) {
    assertFalse(isStatusChannel(name), name);
  }
});

Deno.test("typesOf() brings all three error types with `error` and one type otherwise", () => {
  assertEquals(typesOf("error"), ["error", "rpc_error", "connection_error"]);
  assertEquals(typesOf("rpc_error"), ["rpc_error"]);
  assertEquals(typesOf("system_status"), ["system_status"]);
});

Deno.test("SubscriptionSet.wants() keeps rpc_error, asked for on its own, when error is left", () => {
  const set = new SubscriptionSet();
  assert(set.add("error"));
  assert(set.wants("rpc_error"));
  assert(set.wants("connection_error"));
  assertFalse(set.has("rpc_error"));
  assert(set.add("rpc_error"));
  assertFalse(set.add("rpc_error"));
  assert(set.remove("error"));
  assert(set.wants("rpc_error"));
  assertFalse(set.wants("error"));
  assertFalse(set.wants("connection_error"));
  assert(set.remove("rpc_error"));
  assertFalse(set.remove("rpc_error"));
  assertFalse(set.wants("rpc_error"));
});

Deno.test("SubscriptionSet.wants() keeps all error types when rpc_error is left but error stays", () => {
  const set = new SubscriptionSet();
  set.add("error");
  set.add("rpc_error");
  set.remove("rpc_error");
  assert(set.wants("rpc_error"));
});

Deno.test("SubscriptionSet.wants() does not bring `error` with rpc_error", () => {
  const set = new SubscriptionSet();
  set.add("rpc_error");
  assertFalse(set.wants("error"));
  assertFalse(set.wants("connection_error"));
});

Deno.test("SubscriptionSet.channels lists what was asked for, in order", () => {
  const set = new SubscriptionSet();
  for (const channel of ["heartbeat", "error", "a"]) set.add(channel);
  set.remove("error");
  set.add("error");
  assertEquals(set.channels, ["heartbeat", "a", "error"]);
});
