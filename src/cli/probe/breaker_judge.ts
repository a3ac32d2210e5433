import { channelKind } from "../../protocol/channel.ts";
import { type Check, CheckFaults, ok, skipped } from "./check.ts";
import { isObject, type Json } from "./shapes.ts";
import type { HeardFrame } from "./socket.ts";

/** One answer of `/status`, with the monotonic milliseconds of question and answer. */
export interface StatusLook {
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly backends: Json;
  readonly sources: Json;
}

/** A value that was called fresh, by a frame or by `/snapshot`. */
interface FreshClaim {
  readonly channel: string;
  /** When the hub said so, at the earliest and at the latest. */
  readonly earliest: number;
  readonly latest: number;
}

/** How long a frame may have been on its way, in milliseconds. */
const TRAVEL_MS = 300;

/** Values between two looks that are kept; further ones are not judged. */
const MAX_FRESH = 10_000;

/**
 * Judges fresh values by what `/status` says on either side of them. What changed in between
 * proves nothing; what was stale before and after, with no success between, was never fresh.
 */
export class BreakerJudge {
  readonly #faults = new CheckFaults();
  /** Which backend feeds a channel, as far as errors have told. */
  readonly #backendOf = new Map<string, string>();
  #before: StatusLook | undefined;
  #fresh: FreshClaim[] = [];
  #recovered = new Set<unknown>();
  #looks = 0;
  #judged = 0;
  readonly #opened = new Set<string>();

  /** Takes any frame of the connection. */
  note({ frame: { type, data }, at }: HeardFrame): void {
    if (!isObject(data)) return;
    if (type === "rpc_error") this.#learn(data["data"]);
    if (data["code"] === "RPC_RECOVERED" && isObject(data["data"])) {
      this.#recovered.add(data["data"]["backend"]);
    }
    if (channelKind(type) === "status") {
      this.noteStatus(type, data, { earliest: at - TRAVEL_MS, latest: at });
    }
  }

  /** Takes a status value, with the monotonic milliseconds between which the hub said so. */
  noteStatus(
    channel: string,
    { is_stale, error }: Json,
    when: { readonly earliest: number; readonly latest: number },
  ): void {
    if (isObject(error)) this.#learn(error["data"]);
    if (is_stale !== false || this.#fresh.length >= MAX_FRESH) return;
    this.#fresh.push({ channel, ...when });
  }

  /** Takes a look at `/status`, and judges what came since the one before. */
  look(look: StatusLook): void {
    const before = this.#before;
    this.#looks += 1;
    for (const [name, backend] of Object.entries(look.backends)) {
      if (isOpen(backend)) this.#opened.add(name);
    }
    if (before) {
      for (const { channel, earliest, latest } of this.#fresh) {
        if (earliest < before.answeredAt || latest > look.askedAt) continue;
        this.#judge(channel, before, look);
      }
    }
    this.#before = look;
    this.#fresh = [];
    this.#recovered = new Set();
  }

  verdict(): Check {
    const open = [...this.#opened];
    return this.#faults.verdict(
      "breaker",
      this.#looks < 2 ? skipped("breaker", "/status could not be looked at twice") : ok(
        "breaker",
        `${this.#judged} fresh values between ${this.#looks} looks; breakers seen open: ${
          open.length === 0 ? "none" : open.join(", ")
        }`,
      ),
    );
  }

  #judge(channel: string, before: StatusLook, after: StatusLook): void {
    const [was, is] = [before.sources[channel], after.sources[channel]];
    if (!isObject(was) || !isObject(is)) return; // published, not fed by a backend
    this.#judged += 1;
    // Successes are told in whole seconds: an age that went on growing says that there was none.
    const grewMs = Number(is["age_ms"]) - Number(was["age_ms"]);
    const noSuccess = was["last_success"] === is["last_success"] &&
      grewMs > (after.askedAt - before.answeredAt) / 2;
    if (noSuccess && was["is_stale"] === true && is["is_stale"] === true) {
      this.#faults.add(`"${channel}" was called fresh while /status called it stale`);
    }
    const names = Object.keys(after.backends);
    const known = this.#backendOf.get(channel) ?? (names.length === 1 ? names[0] : undefined);
    const suspects = known === undefined ? names : [known];
    // Which of several backends feeds it may not be known: if all are open, it does not matter.
    const allOpen = suspects.length > 0 &&
      suspects.every((name) =>
        isOpen(before.backends[name]) && isOpen(after.backends[name]) && !this.#recovered.has(name)
      );
    if (!allOpen) return;
    const whose = suspects.map((name) => `"${name}"`).join(", ");
    this.#faults.add(`"${channel}" was called fresh while the breaker of ${whose} was open`);
  }

  #learn(data: unknown): void {
    if (!isObject(data)) return;
    const { channel, backend } = data;
    if (typeof channel === "string" && typeof backend === "string") {
      this.#backendOf.set(channel, backend);
    }
  }
}

function isOpen(backend: unknown): boolean {
  return isObject(backend) && backend["state"] === "open";
}
