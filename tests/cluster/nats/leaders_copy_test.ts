import { MAX_PLACED, readingCopyOf } from "../../../src/cluster/nats/leaders_copy.ts";
import { assertEquals } from "../../support/assert.ts";

/** Consumers that NATS places on these servers, one after the other, and those that were deleted. */
function placedOn(...servers: readonly string[]) {
  const deleted: string[] = [];
  let made = 0;
  const make = () => {
    const server = servers[made % servers.length] ?? "";
    const name = `${++made} on ${server}`;
    return Promise.resolve({
      name,
      info: () => Promise.resolve({ cluster: { leader: server } }),
      delete() {
        deleted.push(name);
        return Promise.reject(new Error("no answer"));
      },
    });
  };
  return { make, deleted };
}

Deno.test("C61: readingCopyOf() makes consumers until one is where the stream is led", async () => {
  const { make, deleted } = placedOn("n2", "n3", "n1");
  assertEquals((await readingCopyOf("n1", make)).name, "3 on n1");
  assertEquals(deleted, ["1 on n2", "2 on n3"]);
});

Deno.test("C61: readingCopyOf() takes what there is where it does not matter, or cannot be had", async () => {
  const any = placedOn("n2");
  assertEquals((await readingCopyOf(undefined, any.make)).name, "1 on n2");
  assertEquals((await readingCopyOf("n1", any.make)).name, `${1 + MAX_PLACED} on n2`);
  assertEquals(any.deleted.length, MAX_PLACED - 1, "the last one is read");
});
