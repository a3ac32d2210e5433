/** The last commit before hubs hear their leader through the stream: what a rolling upgrade meets. */
const OLD = "5c557f8";

const REPOSITORY = new URL("../../", import.meta.url).pathname;

/** Whether the old version can be had: a copy of the tree without its history cannot give it. */
export function hasOldVersion(): boolean {
  const { success } = new Deno.Command("git", {
    args: ["-C", REPOSITORY, "cat-file", "-e", `${OLD}^{commit}`],
    stderr: "null",
  }).outputSync();
  // deno-lint-ignore no-console -- whoever runs the tests should know what was left out
  if (!success) console.warn(`commit ${OLD} is not in the history: mixed versions are left out`);
  return success;
}

/** That version in a folder of its own, which goes when it is disposed of. */
export class OldVersion implements AsyncDisposable {
  readonly folder: string = Deno.makeTempDirSync({ prefix: "holdfast-old-" });

  constructor() {
    const archive = `${this.folder}.tar`;
    run("git", [
      "-C",
      REPOSITORY,
      "archive",
      "--output",
      archive,
      OLD,
      "main.ts",
      "deno.json",
      "src",
    ]);
    run("tar", ["-xf", archive, "-C", this.folder]);
    Deno.removeSync(archive);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

function run(program: string, args: string[]): void {
  const { success, stderr } = new Deno.Command(program, { args }).outputSync();
  if (!success) {
    throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
}
