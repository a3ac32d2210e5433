// @ts-types="../../std_types/status.d.ts"
import { STATUS_CODE, STATUS_TEXT } from "@std/http/status";
import {
  type JsonScannerOptions,
  MAX_JSON_DEPTH,
  type ScannedJson,
} from "../../protocol/json_scanner.ts";
import type { Outcome, Unavailable } from "../backend.ts";
import type { HttpAnswer } from "./http_client.ts";
import { readJson } from "./read_json.ts";

/** Whether a status announces a value. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Whether a status says "look elsewhere" (and not, as 304 does, something about a cache). */
export function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

/**
 * What a status other than success means: 5xx and 429 are the backend's trouble and may pass, any
 * other blames the question.
 *
 * @param detail More about it, put after the status.
 */
export function statusOutcome(status: number, detail?: string): Outcome {
  const isTheirs = status >= 500 || status === STATUS_CODE.TooManyRequests;
  const text = STATUS_TEXT[status];
  const reason = `HTTP ${status}${text === undefined ? "" : ` ${text}`}`;
  return {
    kind: isTheirs ? "unavailable" : "rejected",
    reason: detail === undefined ? reason : `${reason}: ${detail}`,
  };
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
