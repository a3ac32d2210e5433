import { assertEquals } from "../support/assert.ts";

/** Runs the program in a process of its own, as what is given up is gone for good. */
async function giveUp(permissions: string[], ...keep: string[]): Promise<string[]> {
  const { pathname } = new URL("give_up_permissions.ts", import.meta.url);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...permissions, pathname, ...keep],
    env: { NO_COLOR: "1" },
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout).split("\n");
}

Deno.test("giveUpPermissions() takes away running and writing, and nothing else", async () => {
  assertEquals(
    await giveUp(["--allow-run", "--allow-write", "--allow-read", "--allow-net"]),
    ["run prompt", "write prompt", "read granted", "net granted", "NotCapable"],
  );
});

Deno.test("giveUpPermissions() does nothing where there is nothing to give up", async () => {
  assertEquals(
    await giveUp([]),
    ["run prompt", "write prompt", "read prompt", "net prompt", "NotCapable"],
  );
});

Deno.test("giveUpPermissions() keeps what this hub needs", async () => {
  assertEquals(
    await giveUp(["--allow-run", "--allow-write"], "run"),
    ["run granted", "write prompt", "read prompt", "net prompt", "it ran"],
  );
});
