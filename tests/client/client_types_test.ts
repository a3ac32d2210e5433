import ts from "typescript";
import { assertEquals } from "../support/assert.ts";
import { CLIENT_TYPES } from "../../src/page/built.ts";

const USE = `
import { HoldfastClient, type ChannelState } from "./client.js";
export async function use(): Promise<ChannelState<{ load: number }>> {
  await using client = new HoldfastClient<{ system_status: { load: number } }>("http://hub.test");
  for await (const state of client.watch("system_status")) return state;
  return client.read("system_status");
}
interface Values { disk: { free: number }; name: string }
export function typed(client: HoldfastClient<Values>): ("disk" | "name")[] {
  client.on("status", (state) => {
    if (state.channel === "disk" && state.kind === "live") state.data.free.toFixed();
    // @ts-expect-error: no channel of the type given
    if (state.channel === "other") return;
  });
  const { snapshot, subscribe } = client.channel("name");
  subscribe((state) => state.kind === "live" && state.data.length);
  const state = snapshot();
  if (state.kind === "live") state.data.length;
  return client.channels;
}
// @ts-expect-error: not a channel of the type given
export const wrong = (client: HoldfastClient<{ a: 1 }>) => client.read("b");
`;

/** What a compiler says of the types as a strict project of somebody else would use them. */
async function complaints(options: ts.CompilerOptions): Promise<string[]> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/client.d.ts`, CLIENT_TYPES);
    await Deno.writeTextFile(`${folder}/use.ts`, USE);
    const program = ts.createProgram([`${folder}/use.ts`], {
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      types: [],
      exactOptionalPropertyTypes: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      ...options,
    });
    return ts.getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("C36: /client.d.ts compiles with the libraries of 2022 and of browsers alone, checked in full", async () => {
  assertEquals(await complaints({ lib: ["lib.es2022.d.ts", "lib.dom.d.ts"] }), []);
});
