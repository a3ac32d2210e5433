import { checkForeign, isInstalled, noteOf } from "./foreign.ts";
import { type Report, story, type StoryOptions } from "./web_story.ts";

const hasNode = isInstalled("node");

Deno.test({
  name: `Node's WebSocket (undici) sees a hub as documented${noteOf(hasNode, "Node")}`,
  ignore: !hasNode,
  fn: () => checkForeign(tellInNode),
});

async function tellInNode(options: StoryOptions): Promise<Report> {
  const program = `
    const options = JSON.parse(process.env.STORY);
    (${story})(options).then(
      (report) => { console.log(JSON.stringify(report)); process.exit(0); },
      (error) => { console.error(error); process.exit(1); },
    );`;
  const { success, stdout, stderr } = await new Deno.Command("node", {
    // Node 20 has its WebSocket behind this flag; later ones take it and need it no more.
    args: ["--experimental-websocket", "--eval", program],
    env: { STORY: JSON.stringify(options), NODE_OPTIONS: "" },
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Node failed: ${decoder.decode(stderr)}`);
  return JSON.parse(decoder.decode(stdout));
}
