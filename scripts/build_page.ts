// deno-lint-ignore-file no-console -- a script speaks to its caller
/**
 * Builds the page and the client's module into `src/page/built.ts`, which is committed so that
 * neither starting nor compiling the hub needs a build. With `--check` it writes nothing and exits
 * 1 if what is committed is not what would be built.
 */
import * as esbuild from "esbuild";
import { buildPage } from "./build_page/build.ts";

const target = new URL("../src/page/built.ts", import.meta.url);

const built = await buildPage();
await esbuild.stop();
if (!Deno.args.includes("--check")) {
  await Deno.writeTextFile(target, built.module);
  console.log(
    `src/page/built.ts: page ${built.pageBytes} bytes, client ${built.clientBytes} bytes`,
  );
} else if (await Deno.readTextFile(target).catch(() => "") === built.module) {
  console.log("src/page/built.ts is up to date");
} else {
  console.error("src/page/built.ts is out of date: run `deno task page` and commit it");
  Deno.exit(1);
}
