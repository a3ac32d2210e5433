import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { openLibrary } from "../../src/platform/libc_library.ts";

function reason(build: { os: string; arch: string }): string {
  const library = openLibrary({ build });
  assert("unavailable" in library, "it was opened");
  return library.unavailable;
}

Deno.test("openLibrary() names the system it is of no use on", () => {
  assertEquals(
    reason({ os: "darwin", arch: "aarch64" }),
    "it is used on Linux only; this is darwin",
  );
  assertStringIncludes(reason({ os: "linux", arch: "riscv64" }), "this is riscv64");
});

const PATH = `/lib/${Deno.build.arch}-linux-gnu/libc.so.6`;

/** Opens libc in a process of its own, with these permissions, and gives what it printed. */
async function openedWith(...permissions: string[]): Promise<string> {
  const script = new URL("open_libc.ts", import.meta.url);
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", ...permissions, script.href],
    env: { NO_COLOR: "1" },
  });
  const { stdout, stderr, success } = await command.output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  assertEquals(decoder.decode(stderr), "", "something was said, or asked, on standard error");
  return decoder.decode(stdout).trim();
}

Deno.test("openLibc() without the permission says which one is missing", async () => {
  assertStringIncludes(await openedWith(), `${PATH} needs --allow-ffi=${PATH}`);
});

Deno.test("openLibc() does with the permission for the library's path alone", async () => {
  const opened = await openedWith(`--allow-ffi=${PATH}`);
  assertEquals(opened, "opened, setsockopt TCP_USER_TIMEOUT: EBADF");
});
