import { assert, assertEquals } from "../support/assert.ts";
import { errnoName } from "../../src/platform/errno.ts";

Deno.test("errnoName() gives the names that the system gives", async () => {
  const { stdout } = await new Deno.Command("/usr/bin/python3", {
    args: [
      "-c",
      "import errno, json; print(json.dumps({n: getattr(errno, n) for n in dir(errno) if n[0] == 'E'}))",
    ],
  }).output();
  const numbers: Record<string, number> = JSON.parse(new TextDecoder().decode(stdout));
  let named = 0;
  for (let errno = 1; errno < 200; errno++) {
    const name = errnoName(errno);
    if (name === `errno ${errno}`) continue;
    assertEquals(numbers[name], errno, name);
    named += 1;
  }
  assert(named > 20);
});

Deno.test("errnoName() gives the number of an error it has no name for", () => {
  assertEquals(errnoName(4242), "errno 4242");
});
