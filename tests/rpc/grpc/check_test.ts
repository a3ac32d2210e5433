import { assertEquals, assertMatch } from "../../support/assert.ts";
import { checkGrpcCalls } from "../../../src/rpc/grpc/check.ts";
import { LAB_PROTO } from "./support.ts";

const DESCRIBE = "holdfast.lab.v1.Lab/Describe";

/** The only problem of one call, as `at path: why`. */
function problemOf(method: string, params?: unknown): string {
  const problems = checkGrpcCalls(LAB_PROTO, [{ method, params }]);
  assertEquals(problems.length, 1);
  return problems.map(({ at, path, why }) => `${at} ${path}: ${why}`).join();
}

Deno.test("checkGrpcCalls() accepts what the proto describes", () => {
  const calls = [
    { method: DESCRIBE, params: { disk_name: "a", since: "9007199254740993", kind: 2 } },
    { method: DESCRIBE, params: { filters: [{ fieldPath: "x" }], byName: { a: {} } } },
    { method: "holdfast.lab.v1.Lab/Seen" },
    { method: "grpc.health.v1.Health/Check", params: { service: "x" } },
  ];
  assertEquals(checkGrpcCalls(LAB_PROTO, calls), []);
});

Deno.test("checkGrpcCalls() names services and methods that are not there, and what is", () => {
  assertMatch(problemOf("Describe"), /method .*not of the form "package.Service\/Method"/);
  assertMatch(
    problemOf("holdfast.lab.v1.Lob/Describe"),
    /no service "holdfast.lab.v1.Lob"; did you mean "holdfast.lab.v1.Lab"\? there is/,
  );
  assertMatch(problemOf("holdfast.lab.v1.Lab/Descibe"), /did you mean "Describe"\? .*Seen/);
  assertMatch(problemOf("holdfast.lab.v1.Lab/Watch"), /is a streaming method/);
  assertMatch(problemOf("holdfast.lab.v1.Lab/toString"), /has no method "toString"/);
});

Deno.test("checkGrpcCalls() names fields and values that do not fit, and where", () => {
  assertMatch(problemOf(DESCRIBE, { diskNme: 1 }), /params diskNme: .*did you mean "diskName"\?/);
  assertMatch(problemOf(DESCRIBE, { filters: [{}, { path: "" }] }), /params filters\[1\]\.path: /);
  assertMatch(problemOf(DESCRIBE, { byName: { a: { path: "" } } }), /params byName\.a\.path: /);
  assertMatch(problemOf(DESCRIBE, { kind: "DISK" }), /no value "DISK"; .*KIND_DISK/);
  assertMatch(problemOf(DESCRIBE, { since: "soon" }), /since.*invalid integer/);
  assertMatch(problemOf(DESCRIBE, []), /must be an object/);
});

Deno.test("checkGrpcCalls() tells every problem with its call", () => {
  const calls = [{ method: "x" }, { method: DESCRIBE }, {
    method: DESCRIBE,
    params: { a: 1, b: 2 },
  }];
  const problems = checkGrpcCalls(LAB_PROTO, calls);
  assertEquals(problems.map(({ index, at, path }) => [index, at, path]), [
    [0, "method", ""],
    [2, "params", "a"],
    [2, "params", "b"],
  ]);
});

Deno.test("checkGrpcCalls() says what is wrong with a proto", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const whyOf = async (text: string) => {
      await Deno.writeTextFile(`${folder}/a.proto`, text);
      const [problem] = checkGrpcCalls(`${folder}/a.proto`, []);
      assertEquals(problem?.at, "proto");
      return problem?.why ?? "";
    };
    assertMatch(await whyOf('syntax = "proto3"; message {'), /a\.proto: .*line 1/);
    const needy = 'syntax = "proto3"; import "b/c.proto"; message A { B b = 1; }';
    assertMatch(await whyOf(needy), /no such.*B.*not found: b\/c\.proto/);
    const [gone] = checkGrpcCalls(`${folder}/none.proto`, []);
    assertMatch(gone?.why ?? "", /none\.proto: there is no such file/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("checkGrpcCalls() finds imports from a folder above", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/acme/v1`, { recursive: true });
    const head = 'syntax = "proto3"; package acme.v1;';
    await Deno.writeTextFile(`${folder}/acme/v1/b.proto`, `${head} message B { int32 n = 1; }`);
    await Deno.writeTextFile(
      `${folder}/acme/v1/a.proto`,
      `${head} import "acme/v1/b.proto"; service S { rpc Get (B) returns (B); }`,
    );
    const calls = [{ method: "acme.v1.S/Get", params: { n: 1 } }];
    assertEquals(checkGrpcCalls(`${folder}/acme/v1/a.proto`, calls), []);
    assertMatch(JSON.stringify(checkGrpcCalls(undefined, calls)), /there is grpc.health.v1.Health/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("checkGrpcCalls() reads no proto out of a pipe, which would stop everything", async () => {
  const folder = await Deno.makeTempDir({ prefix: "holdfast-test-" });
  try {
    const pipe = `${folder}/jobs.proto`;
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    const [problem] = checkGrpcCalls(pipe, [{ method: DESCRIBE, params: {} }]);
    assertMatch(problem?.why ?? "", /no regular file/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
