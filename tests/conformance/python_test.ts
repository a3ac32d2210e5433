import { hasPythonModule, runPython } from "../support/python.ts";
import { checkForeign, noteOf } from "./foreign.ts";

const hasWebsockets = hasPythonModule("websockets");

Deno.test({
  name: `python3-websockets sees a hub as documented${noteOf(hasWebsockets, "python3-websockets")}`,
  ignore: !hasWebsockets,
  fn: () =>
    checkForeign(async (options) =>
      JSON.parse(await runPython("../conformance/python_story.py", [JSON.stringify(options)]))
    ),
});
