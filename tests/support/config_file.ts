/** A configuration in a file of its own, for as long as a test runs. */
export class ConfigFile implements Disposable {
  readonly path: string | undefined;

  constructor(config: object | undefined) {
    if (config === undefined) return;
    this.path = Deno.makeTempFileSync({ prefix: "holdfast-test-", suffix: ".json" });
    Deno.writeTextFileSync(this.path, JSON.stringify(config));
  }

  /** Puts another configuration in its place. */
  rewrite(config: object): void {
    if (this.path === undefined) throw new Error("the embedded default has no file");
    Deno.writeTextFileSync(this.path, JSON.stringify(config));
  }

  get args(): string[] {
    return this.path === undefined ? [] : ["--config", this.path];
  }

  [Symbol.dispose](): void {
    if (this.path !== undefined) Deno.removeSync(this.path);
  }
}
