import { MessageWriter } from "../../src/workers/message_writer.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("MessageWriter sends what is said in one turn together, in order, with its weight", async () => {
  const batches: { messages: string[]; weight: number }[] = [];
  const writer = new MessageWriter<string>({
    postMessage: (batch) => batches.push(batch as { messages: string[]; weight: number }),
  });
  writer.post("a", 1000);
  writer.post("b");
  assertEquals(batches, []);
  await Promise.resolve();
  writer.post("c");
  writer.flush();
  await Promise.resolve();
  assertEquals(batches.map(({ messages }) => messages), [["a", "b"], ["c"]]);
  assertEquals(batches.reduce((sum, { weight }) => sum + weight, 0), writer.sent);
  assert(writer.sent > 1000, "texts count");
});
