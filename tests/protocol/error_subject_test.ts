import { encodeFrame, type JsonText } from "../../src/protocol/codec.ts";
import { aboutSubjectIn } from "../../src/protocol/error_subject.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("aboutSubjectIn() reads what an error speaks of; one that cannot be read is for those who may read all", () => {
  const aboutOf = (type: string, text: string) =>
    aboutSubjectIn(encodeFrame(type, text as JsonText, 0, 1), text as JsonText, () => ["a", "b"])
      .about;
  assertEquals(aboutOf("rpc_error", `{"data":{"channel":"c"}}`), ["c"]);
  assertEquals(aboutOf("rpc_error", `{"data":{"backend":"core"}}`), ["a", "b"]);
  assertEquals(aboutOf("error", `{"data":{}}`), undefined);
  assertEquals(aboutOf("rpc_error", "{"), []);
  assertEquals(aboutOf("notification", `{"data":{"channel":"c"}}`), undefined);
});
