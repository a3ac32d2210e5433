import { logOf } from "../telemetry/log.ts";

/**
 * A credential that may stand in a configuration as `${NAME}`. systemd puts `holdfast_` before the
 * names of files that it takes from a folder (`LoadCredential=holdfast:/etc/holdfast/credentials`).
 */
const CREDENTIAL = /^(?:holdfast_)?([A-Za-z_][A-Za-z0-9_]*)$/;

/** A longer file is no token. */
const MAX_CREDENTIAL_BYTES = 65_536;

/** More files than this are no folder of tokens; the rest is left out, and that is logged. */
const MAX_CREDENTIALS = 256;

/**
 * Reads the credentials that systemd handed to the service, as variables for the configuration: a
 * file's name is the variable's, its text without the last line break the value. Empty where there
 * are none. What cannot be used is logged by name, never by content.
 *
 * @example
 * ```ts
 * const env = { ...await readCredentials(Deno.env), ...Deno.env.toObject() };
 * ```
 */
export async function readCredentials(
  env: Pick<Deno.Env, "get">,
): Promise<Record<string, string>> {
  const directory = env.get("CREDENTIALS_DIRECTORY");
  if (!directory) return {};
  const variables: Record<string, string> = {};
  const skip = (credential: string, why: string) =>
    logOf("service").warning("credential.skipped", { credential, why });
  for (const file of await namesIn(directory, skip)) {
    const [, variable] = CREDENTIAL.exec(file) ?? [];
    // Others are for something else, such as the private key that `tls.key` names by its path.
    if (variable === undefined) continue;
    if (Object.keys(variables).length >= MAX_CREDENTIALS) {
      skip(file, `there are more than ${MAX_CREDENTIALS}`);
      break;
    }
    const path = `${directory}/${file}`;
    try {
      const { isFile, size } = await Deno.stat(path);
      if (!isFile || size > MAX_CREDENTIAL_BYTES) {
        skip(file, `it is no file of at most ${MAX_CREDENTIAL_BYTES} bytes`);
        continue;
      }
      variables[variable] = (await Deno.readTextFile(path)).replace(/\r?\n$/, "");
    } catch {
      skip(file, "it cannot be read");
    }
  }
  return variables;
}

async function namesIn(
  directory: string,
  skip: (credential: string, why: string) => void,
): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(directory));
    return entries.map(({ name }) => name).sort();
  } catch {
    skip(directory, "the directory cannot be read");
    return [];
  }
}
