// @ts-types="../../std_types/status.d.ts"
import { STATUS_CODE, STATUS_TEXT } from "@std/http/status";
import type { Outcome } from "../backend.ts";
import type { HttpAnswer } from "./http_client.ts";

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

/** A body's JSON value, or why there is none. */
export function jsonOutcome(answer: HttpAnswer): Extract<Outcome, { kind: "ok" | "unavailable" }> {
  const { body, mediaType } = answer;
  if (body.kind === "unavailable") return body;
  if (body.text.trim() === "") {
    return { kind: "unavailable", reason: "the answer is empty, not JSON" };
  }
  try {
    return { kind: "ok", value: JSON.parse(body.text) };
  } catch {
    const found = mediaType === undefined || isJsonType(mediaType) ? "" : ` but ${mediaType}`;
    return { kind: "unavailable", reason: `the answer is not JSON${found}` };
  }
}

function isJsonType(mediaType: string): boolean {
  return /[/+]json$/i.test(mediaType);
}
