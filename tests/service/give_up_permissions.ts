/** A program that gives up permissions and prints what is left; run by `permissions_test.ts`. */
import { giveUpPermissions } from "../../src/service/permissions.ts";

const keep = Deno.args.filter((each) => each === "run" || each === "write");
giveUpPermissions({ keep });
giveUpPermissions({ keep });
const names = ["run", "write", "read", "net"] as const;
const states = names.map((name) => `${name} ${Deno.permissions.querySync({ name }).state}`);
let ran = "it ran";
try {
  await new Deno.Command("true").output();
} catch (error) {
  ran = error instanceof Error ? error.name : String(error);
}
await Deno.stdout.write(new TextEncoder().encode([...states, ran].join("\n")));
