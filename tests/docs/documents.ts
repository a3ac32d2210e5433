const ROOT = new URL("../../", import.meta.url);

/**
 * Documents with commands for their readers; those that are not there are left out. `docs/http.md` has
 * a test of its own, which looks at the answers as well.
 */
const NAMES = [
  "README.md",
  "docs/configuration.md",
  "docs/operations.md",
  "docs/hooks.md",
  "docs/cluster.md",
  "docs/client.md",
  "docs/protocol.md",
  "docs/grpc.md",
  "docs/streams.md",
  "docs/tutorial.md",
  "docs/tools.md",
  "docs/conformance.md",
  "docs/reliability.md",
];

/** The documents' texts by name. */
export function documents(): Map<string, string> {
  const texts = new Map<string, string>();
  for (const name of NAMES) {
    try {
      texts.set(name, Deno.readTextFileSync(new URL(name, ROOT)));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return texts;
}
