// @ts-types="../../std_types/status.d.ts"
import { STATUS_CODE } from "@std/http/status";
import type { JsonText } from "../../protocol/codec.ts";
import type { ScannedJson } from "../../protocol/json_scanner.ts";
import { readBoundedBody } from "../../rpc/http/bounded_body.ts";
import { readJson } from "../../rpc/http/read_json.ts";
import type { Identity } from "../door/identity.ts";
import { noPlace, refuse } from "./reply.ts";

/** What a command to the hub has to be: POST with a JSON body. */
export interface CommandOptions {
  identity: Pick<Identity, "mayRead" | "mayPublish">;
  /** Largest body taken, in bytes. */
  maxBytes: number;
  /** How long the body may take to come, in milliseconds. */
  bodyTimeoutMs: number;
  /** Whether the door has closed: what would be accepted now might reach nobody. */
  isDraining: () => boolean;
}

/** The body of a command, read; the refusal if its sender may not, or if it cannot be read. */
export async function readCommand(
  request: Request,
  { identity, maxBytes, bodyTimeoutMs, isDraining }: CommandOptions,
  members: readonly string[],
): Promise<ScannedJson | Response> {
  if (isDraining()) return noPlace("draining");
  if (!identity.mayPublish) {
    return refuse(
      STATUS_CODE.Forbidden,
      `this takes a token that has "publish": true (auth.tokens in the configuration)`,
    );
  }
  let scanned: ScannedJson;
  try {
    // Not the request's own signal: the runtime warns of it on stderr, amid the log, and a body that
    // breaks off says so itself.
    const signal = AbortSignal.timeout(bodyTimeoutMs);
    const body = await readBoundedBody(request, { maxBytes, signal });
    if (body.kind === "too_large") {
      return refuse(STATUS_CODE.ContentTooLarge, `the body is larger than ${maxBytes} bytes`);
    }
    if (body.kind === "not_utf8") return refuse(STATUS_CODE.BadRequest, "the body is not UTF-8");
    scanned = await readJson(body.text, { signal, members });
  } catch {
    return refuse(STATUS_CODE.BadRequest, "the body did not arrive whole and in time");
  }
  return isDraining() ? noPlace("draining") : scanned; // it may have begun meanwhile
}

/** The string that a JSON text is; undefined if it is anything else. */
export function stringOf(text: JsonText | undefined): string | undefined {
  return text?.startsWith(`"`) ? JSON.parse(text) : undefined;
}
