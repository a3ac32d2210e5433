// @ts-types="../../std_types/status.d.ts"
import { STATUS_CODE } from "@std/http/status";
import { logOf } from "../../telemetry/log.ts";
import { StreamCutOff } from "./sse_transport.ts";

/** The body of an answer broke off; its client sees that, and one that was cut off is no fault. */
export function answerFailed(error: unknown): Response {
  if (!(error instanceof StreamCutOff)) {
    logOf("server").error("request.failed", { why: String(error) });
  }
  return new Response(null, { status: STATUS_CODE.InternalServerError });
}
