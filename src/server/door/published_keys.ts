import {
  createLocalJWKSet,
  errors,
  type JWK,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
} from "jose";
import { safeUrl } from "../../config/safe_url.ts";
import { Backoff } from "../../resilience/backoff.ts";
import type { Clock } from "../../resilience/clock.ts";
import { withDeadline } from "../../resilience/with_deadline.ts";
import { HttpClient } from "../../rpc/http/http_client.ts";
import type { ProxyEnvironment } from "../../rpc/http/proxy.ts";
import { FailureLog } from "../../telemetry/failure_log.ts";
import { logOf } from "../../telemetry/log.ts";
import { PUBLIC_KEY_ALGORITHMS, readKeySet, verifyWith } from "./key_set.ts";

/** How long published keys are used before they are fetched again, in milliseconds. */
const MAX_AGE_MS = 10 * 60_000;
/** At most one fetch in this time while fetches go well, in milliseconds: tokens drive none. */
const COOLDOWN_MS = 10_000;
/** The same while they fail: longer after each failure. */
const RETRY = { minMs: 1000, maxMs: 60_000, jitter: 0.2 };
const FETCH_TIMEOUT_MS = 5000;
/** How long a token waits for newer keys where there are known ones, in milliseconds. */
const PATIENCE_MS = 1000;
/** A set of keys is some kilobytes. */
const MAX_BYTES = 1024 * 1024;

/** The issuer's keys cannot be had just now, and none are known. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
}

export interface PublishedKeysOptions {
  clock: Clock;
  /** The proxies by which providers are reached, as the environment has them. Default: none. */
  proxyEnvironment?: ProxyEnvironment | undefined;
}

export interface VerifyOptions extends JWTVerifyOptions {
  /** How long keys stay in force when no newer ones can be had, in milliseconds. */
  keepForMs: number;
}

interface KnownKeys {
  readonly find: JWTVerifyGetKey;
  /** Monotonic milliseconds. */
  readonly fetchedAt: number;
}

/**
 * The keys that an issuer publishes (JWKS, RFC 7517). They are fetched again every ten minutes and
 * for a token of a key that is not known, but only once in a while, whoever asks; while fetches
 * fail, ever more rarely. Known keys stay in force meanwhile.
 */
export class PublishedKeys {
  readonly #url: string;
  readonly #options: PublishedKeysOptions;
  #known: KnownKeys | undefined;
  #fetching: Promise<void> | undefined;
  /** No fetch before this time. */
  #notBefore = -Infinity;
  #backoff = new Backoff(RETRY);
  #isFailing = false;
  readonly #failures = new FailureLog({
    room: "server",
    events: {
      begins: "jwks.unavailable",
      again: "jwks.unavailable_again",
      goesOn: "jwks.still_unavailable",
      ends: "jwks.available",
    },
    times: "failures",
  });
  /** Keys that were said to be of no use, by name: each once. Bounded as a set of keys is. */
  #skipped: ReadonlySet<string> = new Set();

  constructor(url: string, options: PublishedKeysOptions) {
    this.#url = url;
    this.#options = options;
  }

  /**
   * Verifies a token with the key it names, or with each that could be it.
   *
   * @throws {KeysUnavailable} If that cannot be told just now.
   * @throws {errors.JOSEError} If it is not valid.
   */
  async verify(token: string, options: VerifyOptions): Promise<JWTPayload> {
    const { keepForMs, ...rest } = options;
    const checks = { ...rest, algorithms: PUBLIC_KEY_ALGORITHMS };
    try {
      return await verifyWith(await this.#current(keepForMs), token, checks);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      const before = this.#known;
      await this.#refresh();
      if (this.#known !== undefined && this.#known !== before) {
        return await verifyWith(this.#known.find, token, checks);
      }
      // A key that was published meanwhile cannot be told from one that never was.
      if (this.#isFailing) throw new KeysUnavailable();
      throw error;
    }
  }

  async #current(keepForMs: number): Promise<JWTVerifyGetKey> {
    const { clock } = this.#options;
    const ageMs = () => clock.now() - (this.#known?.fetchedAt ?? -Infinity);
    if (ageMs() > MAX_AGE_MS) {
      const refreshed = this.#refresh();
      await (ageMs() <= keepForMs ? this.#patiently(refreshed) : refreshed);
    }
    if (this.#known === undefined || ageMs() > Math.max(keepForMs, MAX_AGE_MS)) {
      throw new KeysUnavailable();
    }
    return this.#known.find;
  }

  /** Waits for newer keys, but not for long. */
  async #patiently(refreshed: Promise<void>): Promise<void> {
    await withDeadline(this.#options.clock, PATIENCE_MS, () => refreshed);
  }

  /** Fetches the keys, unless that was done or tried just now; waits for a fetch under way. */
  #refresh(): Promise<void> {
    if (this.#fetching === undefined && this.#options.clock.now() < this.#notBefore) {
      return Promise.resolve();
    }
    return this.#fetching ??= this.#fetch().finally(() => this.#fetching = undefined);
  }

  async #fetch(): Promise<void> {
    const { clock } = this.#options;
    const url = safeUrl(this.#url);
    try {
      const keys = await this.#usable(await this.#download());
      const find = createLocalJWKSet({ keys });
      this.#known = { find, fetchedAt: clock.now() };
      this.#notBefore = clock.now() + COOLDOWN_MS;
      this.#backoff = this.#backoff.reset();
      this.#isFailing = false;
      this.#failures.ended(clock.now(), { url });
    } catch (error) {
      const why = error instanceof Unusable ? error.message : "it could not be fetched";
      const retry_after_ms = Math.round(this.#backoff.waitMs());
      this.#notBefore = clock.now() + retry_after_ms;
      this.#backoff = this.#backoff.next();
      this.#isFailing = true;
      const keys_known = this.#known !== undefined;
      this.#failures.failed(clock.now(), { url, why, keys_known, retry_after_ms });
    }
  }

  async #download(): Promise<unknown> {
    const { proxyEnvironment = {} } = this.#options;
    await using client = new HttpClient({
      maxResponseBytes: MAX_BYTES,
      proxy: "environment",
      proxyEnvironment,
    });
    const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
    const headers = new Headers({ accept: "application/json, application/jwk-set+json" });
    const request = { method: "GET", url: new URL(this.#url), headers } as const;
    let answer: Awaited<ReturnType<typeof client.ask>>;
    try {
      answer = await client.ask(request, { signal });
    } catch {
      throw new Unusable(`no answer within ${FETCH_TIMEOUT_MS} ms`);
    }
    if (answer.kind === "unavailable") throw new Unusable(answer.reason);
    const { status, body } = answer;
    if (status !== 200) throw new Unusable(`the answer's status is ${status}`);
    if (body.kind === "unavailable") throw new Unusable(body.reason);
    try {
      return JSON.parse(body.text);
    } catch {
      throw new Unusable("the answer is not JSON");
    }
  }

  /** The keys of a set that can be used; others are left aside. */
  async #usable(set: unknown): Promise<JWK[]> {
    const read = await readKeySet(set);
    if (read === undefined) throw new Unusable(`the answer has no list "keys"`);
    for (const key of read.malformed) {
      if (this.#skipped.has(key)) continue;
      logOf("server").warning("jwks.key_skipped", { url: safeUrl(this.#url), key });
    }
    this.#skipped = new Set(read.malformed);
    if (read.usable.length === 0) throw new Unusable("the answer has no key that could be used");
    return read.usable;
  }
}

/** Why an answer is none; its message may be shown. */
class Unusable extends Error {}
