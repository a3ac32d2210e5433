import { assertEquals } from "../support/assert.ts";
import { readCredentials } from "../../src/service/credentials.ts";
import { environment, Logged } from "./support.ts";

Deno.test("readCredentials() makes variables of the files, and leaves others alone", async () => {
  await using logged = Logged.start();
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/holdfast_CORE_TOKEN`, "secret one\n");
    await Deno.writeTextFile(`${directory}/DASH_TOKEN`, "two\nlines\r\n");
    await Deno.writeTextFile(`${directory}/tls.key`, "no variable's name");
    await Deno.writeTextFile(`${directory}/HUGE`, "x".repeat(65_537));
    await Deno.mkdir(`${directory}/FOLDER`);
    const env = environment({ CREDENTIALS_DIRECTORY: directory });
    assertEquals(await readCredentials(env), {
      CORE_TOKEN: "secret one",
      DASH_TOKEN: "two\nlines",
    });
    assertEquals(logged.lines.map(({ event, credential }) => [event, credential]), [
      ["credential.skipped", "FOLDER"],
      ["credential.skipped", "HUGE"],
    ]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("readCredentials() gives nothing without a directory, and says so if it cannot be read", async () => {
  await using logged = Logged.start();
  assertEquals(await readCredentials(environment({})), {});
  assertEquals(logged.lines, []);
  const missing = environment({ CREDENTIALS_DIRECTORY: "/nowhere/at/all" });
  assertEquals(await readCredentials(missing), {});
  assertEquals(logged.lines.map(({ credential }) => credential), ["/nowhere/at/all"]);
});

Deno.test("readCredentials() reads a bounded number of files", async () => {
  await using logged = Logged.start();
  const directory = await Deno.makeTempDir();
  try {
    for (let i = 1000; i < 1258; i++) await Deno.writeTextFile(`${directory}/T${i}`, "x");
    const variables = await readCredentials(environment({ CREDENTIALS_DIRECTORY: directory }));
    assertEquals(Object.keys(variables).length, 256);
    assertEquals(logged.of("credential.skipped").length, 1);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
