import { LONGEST, parseDuration } from "../config/duration.ts";
import { type HubAddress, hubAddress } from "../client/address.ts";
import { type HubAccess, openAccess } from "./hub_access.ts";
import type { Io } from "./io.ts";

/** The hub a command talks to. */
export interface HubTarget extends Disposable {
  readonly url: string;
  readonly address: HubAddress;
  readonly token: string | undefined;
  readonly access: HubAccess;
}

/** Flags of every command that speaks to a hub. */
export interface TargetFlags {
  /** `--token`. Default: `HOLDFAST_TOKEN`. */
  token?: string;
  /** `--ca`: a file of authorities that are trusted beside the usual ones. */
  ca?: string;
}

/** Reads the URL and what it takes to get in there; says what is wrong with them. */
export function readTarget(
  url: string,
  { token, ca }: TargetFlags,
  io: Pick<Io, "env">,
  problems: string[],
): HubTarget | undefined {
  if (token === "") problems.push(`--token: found ""; expected a token`);
  try {
    const address = hubAddress(url);
    const given = token ?? (io.env["HOLDFAST_TOKEN"] || undefined);
    const access = openAccess(ca, problems);
    return {
      url: address.door.replace(/\/ws$/, ""),
      address,
      token: given,
      access,
      [Symbol.dispose]: () => access[Symbol.dispose](),
    };
  } catch (error) {
    // The URL itself is not repeated: it may hold credentials.
    problems.push(`URL: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** Reads a duration between two bounds, in milliseconds; says what is wrong with it. */
export function readFor(
  text: string | undefined,
  { min, max, allowed }: { readonly min: number; readonly max: number; readonly allowed: string },
  problems: string[],
): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= min && ms <= Math.min(max, LONGEST)) return ms;
  problems.push(`--for: found ${JSON.stringify(text)}; expected ${allowed}`);
  return undefined;
}
