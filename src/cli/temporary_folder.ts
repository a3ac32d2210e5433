/** A folder for as long as a command runs. */
export class TemporaryFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** @throws {TypeError} If none can be made; the message is for users. */
  static async make(prefix: string): Promise<TemporaryFolder> {
    try {
      return new TemporaryFolder(await Deno.makeTempDir({ prefix }));
    } catch (error) {
      const isDenied = error instanceof Deno.errors.NotCapable;
      const why = isDenied ? "this process needs --allow-write" : "the disk is full or read-only";
      throw new TypeError(`a temporary folder cannot be made: ${why}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true }).catch(() => {}); // gone already is as good
  }

  /** Removes it within this very turn, for a process that ends at once. */
  removeNow(): void {
    try {
      Deno.removeSync(this.path, { recursive: true });
    } catch {
      // Gone already, or in use by a process that is about to end: nothing more can be done.
    }
  }
}
