import { VALUE_WAIT_MS } from "../../src/hub/delivery/pending_batch.ts";
import { BATCH_WINDOW_MS, MAX_BATCH_WINDOW_MS } from "../../src/hub/delivery/batch_windows.ts";
import { CLOSE, type ReconnectAdvice } from "../../src/protocol/close_code.ts";
import { ERROR_CODES, ERRORS } from "../../src/protocol/error_event.ts";
import {
  EVICTED_AFTER_MS,
  LARGE_FRAME_BYTES,
  LARGE_FRAMES_SHARE,
} from "../../src/hub/delivery/buffer_budget.ts";
import { MAX_BURST_MS } from "../../src/hub/delivery/client_writer.ts";
import {
  MAX_CONTROL_FRAMES,
  MAX_OVERRUN_CHARS,
  MAX_OVERRUN_FRAMES,
} from "../../src/hub/delivery/outbox.ts";
import { REFUSALS_TOLD_SINGLY } from "../../src/hub/client_requests.ts";
import {
  LOSS_WINDOW_MS,
  LOSSES_TOLD_SINGLY,
  MAX_IDS_IN_NOTICE,
} from "../../src/hub/loss_notices.ts";
import { MAX_PATCHED_CHARS } from "../../src/protocol/delta.ts";
import { MAX_BAD_MESSAGES } from "../../src/hub/inbound_limits.ts";
import { MAX_WRITE_ERRORS } from "../../src/hub/delivery/write_gate.ts";
import { markdownTable } from "./refresh.ts";

const MEBIBYTE = 1024 * 1024;

const ADVICE: Readonly<Record<ReconnectAdvice, string>> = {
  after_announced_wait: "come back after the `reconnect_after_ms` you were told, else with backoff",
  with_backoff: "come back with backoff and resume",
  not_without_a_fix: "do not come back before what was wrong is mended",
};

/** The tables of docs/protocol.md, each made from the table the code itself runs on. */
export const TABLES: Readonly<Record<string, string>> = {
  errors: markdownTable(
    ["code", "type", "component", "severity", "when"],
    ERROR_CODES.map((code) => {
      const { type, component, severity, when } = ERRORS[code];
      const carrier = type === "inside_status" ? "inside a status frame's `error`" : `\`${type}\``;
      return [`\`${code}\``, carrier, component, severity, when];
    }),
  ),
  closes: markdownTable(
    ["code", "reason", "what to do next"],
    Object.values(CLOSE).map(({ code, reason, advice }) => [String(code), reason, ADVICE[advice]]),
  ),
  bounds: markdownTable(
    ["what", "bound", "when it is reached"],
    [
      [
        "error, heartbeat and answer frames waiting for a client",
        `${MAX_CONTROL_FRAMES}`,
        "it is a slow client",
      ],
      ["events waiting for a client", "`hub.outbox_messages`", "it is a slow client"],
      [
        "a burst that a client has had no time to take",
        `${MAX_OVERRUN_FRAMES} frames or ${
          MAX_OVERRUN_CHARS / MEBIBYTE
        } MiB beyond those, for ${MAX_BURST_MS} ms`,
        "it is a slow client",
      ],
      [
        "bytes handed over and not taken, of all clients",
        "`hub.max_buffered_bytes`",
        `frames wait; a client that has taken nothing for ${EVICTED_AFTER_MS} ms while others wait is a slow ` +
        "client, the slowest first",
      ],
      [
        `of these, in frames of more than ${LARGE_FRAME_BYTES / MEBIBYTE} MiB`,
        `${LARGE_FRAMES_SHARE * 100} %, but one frame at least`,
        "the same",
      ],
      ["values waiting for a client", "one a channel", "the newer one takes the older one's place"],
      ["messages the hub cannot accept", `${MAX_BAD_MESSAGES}`, "close 1008"],
      ["failed writes in a row", `${MAX_WRITE_ERRORS}`, "the connection is ended"],
      [
        "refused channels told singly per message",
        `${REFUSALS_TOLD_SINGLY}`,
        "the rest in one frame",
      ],
      [
        "lost clients told singly",
        `${LOSSES_TOLD_SINGLY} in ${LOSS_WINDOW_MS} ms`,
        `the rest together, up to ${MAX_IDS_IN_NOTICE} in \`data.client_ids\``,
      ],
      [
        "writes to a `batch=1` client",
        `one in ${BATCH_WINDOW_MS} ms, up to ${MAX_BATCH_WINDOW_MS} ms while the hub is busy`,
        `what comes meanwhile shares the next; a value waits ${VALUE_WAIT_MS} ms for others of its tick`,
      ],
      [
        "a value of which a `delta=1` client is told what changed",
        `${MAX_PATCHED_CHARS / MEBIBYTE} MiB`,
        "it comes whole",
      ],
    ],
  ),
};
