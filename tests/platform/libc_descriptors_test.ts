import { assertEquals, assertExists } from "../support/assert.ts";
import { libcForTest } from "./support.ts";

Deno.test("openDescriptors() counts what this process has open, and nothing of its own looking", () => {
  using libc = libcForTest();
  const before = libc.openDescriptors();
  assertExists(before);
  assertEquals(libc.openDescriptors(), before, "looking leaves nothing open");
  const files = Array.from({ length: 4000 }, () => Deno.openSync("/dev/null"));
  try {
    assertEquals(libc.openDescriptors(), before + files.length);
  } finally {
    for (const file of files) file.close();
  }
  assertEquals(libc.openDescriptors(), before);
});
