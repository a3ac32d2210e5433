// @ts-types="../../std_types/status.d.ts"
import { STATUS_CODE, STATUS_TEXT } from "@std/http/status";
import {
  type JsonScannerOptions,
  MAX_JSON_DEPTH,
  type ScannedJson,
} from "../../protocol/json_scanner.ts";
import type { Outcome, Unavailable } from "../backend.ts";
import type { HttpAnswer } from "./http_client.ts";
import { retryAfterMs } from "./http_status.ts";
import { readJson } from "./read_json.ts";

/** Longest piece of an error's body that is passed on, in characters. */
const MAX_EXCERPT = 200;

/**
 * What a status other than success means: 5xx and 429 are the backend's trouble and may pass, as
 * may 407, a proxy's; any other blames the question.
 *
 * @param detail More about it, put after the status. Default: the beginning of the body.
 */
export function statusOutcome(
  { status, headers, body }: HttpAnswer,
  detail?: string,
): Extract<Outcome, { kind: "unavailable" | "rejected" }> {
  const text = STATUS_TEXT[status];
  const excerpt = detail ?? (body.kind === "text" ? excerptOf(body.text) : "");
  const reason = `HTTP ${status}${text === undefined ? "" : ` ${text}`}` +
    (excerpt === "" ? "" : `: ${excerpt}`);
  const isTheirs = status >= 500 || status === STATUS_CODE.TooManyRequests ||
    status === STATUS_CODE.ProxyAuthRequired;
  if (!isTheirs) return { kind: "rejected", reason };
  const asked = ASKS_TO_WAIT.includes(status) ? retryAfterMs(headers, Date.now()) : undefined;
  return { kind: "unavailable", reason, ...(asked === undefined ? {} : { retryAfterMs: asked }) };
}

const ASKS_TO_WAIT: readonly number[] = [
  STATUS_CODE.TooManyRequests,
  STATUS_CODE.ServiceUnavailable,
];

/** The beginning of a text as one line without control characters. */
function excerptOf(text: string): string {
  const line = text.slice(0, 4 * MAX_EXCERPT).replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  return line.length > MAX_EXCERPT ? `${line.slice(0, MAX_EXCERPT)}…` : line;
}

/** A body that is JSON, or why there is none. */
export type JsonBody = { readonly kind: "json"; readonly scanned: ReadJson } | Unavailable;

type ReadJson = Extract<ScannedJson, { ok: true }>;

/** @throws The signal's reason, when it is aborted. */
export async function jsonBodyOf(
  answer: HttpAnswer,
  options: JsonScannerOptions & { signal: AbortSignal },
): Promise<JsonBody> {
  const { body, mediaType } = answer;
  if (body.kind === "unavailable") return body;
  const scanned = await readJson(body.text, options);
  if (scanned.ok) return { kind: "json", scanned };
  switch (scanned.why) {
    case "too_deep":
      return unavailable(`the answer is nested more than ${MAX_JSON_DEPTH} deep`);
    case "too_many":
      return unavailable("the answer has more parts than there were calls");
    case "not_json": {
      if (body.text.trim() === "") return unavailable("the answer is empty, not JSON");
      const found = mediaType === undefined || isJsonType(mediaType) ? "" : ` but ${mediaType}`;
      return unavailable(`the answer is not JSON${found}`);
    }
  }
}

function unavailable(reason: string): Unavailable {
  return { kind: "unavailable", reason };
}

function isJsonType(mediaType: string): boolean {
  return /[/+]json$/i.test(mediaType);
}
