/// <reference lib="dom" />

export interface AnswerOptions {
  /** The most the answer may take, in milliseconds. Default 8 s. */
  timeoutMs?: number;
}

export interface AskedHub {
  /** Where the hub is. */
  readonly hub: URL;
  readonly token: () => string | undefined;
}

/**
 * Asks the hub for a path, with the token where there is one.
 *
 * @throws {Error} With the hub's own words if it refuses; with the browser's if it cannot be reached.
 */
export async function askForText(
  { hub, token }: AskedHub,
  path: string,
  options: AnswerOptions = {},
): Promise<string> {
  const { timeoutMs = 8000 } = options;
  const known = token();
  const response = await fetch(new URL(path, hub), {
    headers: known === undefined ? {} : { authorization: `Bearer ${known}` },
    cache: "no-store",
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`The hub says ${response.status}: ${text.slice(0, 200).trim()}`);
  }
  return text;
}

/** The same as JSON; undefined if there is no answer: what is asked for is of use, not needed. */
export async function askFor<T>(
  asked: AskedHub,
  path: string,
  options: AnswerOptions = {},
): Promise<T | undefined> {
  try {
    return JSON.parse(await askForText(asked, path, options)) as T;
  } catch {
    return undefined;
  }
}
