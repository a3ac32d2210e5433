import { createHash } from "node:crypto";
import { errors, type JWTPayload, jwtVerify, type JWTVerifyOptions } from "jose";
import type { JwtConfig } from "../../config/schema.ts";
import type { Clock } from "../../resilience/clock.ts";
import type { ProxyEnvironment } from "../../rpc/http/proxy.ts";
import type { Authentication, Credential } from "./identity.ts";
import { KeysUnavailable, PublishedKeys } from "./published_keys.ts";
import { readerOf } from "./rights.ts";

const SECRET_ALGORITHMS = ["HS256", "HS384", "HS512"];

/** The longest `sub` that a log line shows, in characters. */
const MAX_SUBJECT = 64;

type JwtCredential = Extract<Credential, { kind: "jwt" }>;

/** One way to check tokens: an issuer by its published keys, or by a shared secret. */
interface Verifier {
  readonly config: JwtConfig;
  /** Names the keys, without showing a secret. */
  readonly keys: string;
  readonly check: (token: string, options: JWTVerifyOptions) => Promise<JWTPayload>;
}

export interface JwtVerifiersOptions {
  clock: Clock;
  /** Whose fetched keys are taken over where they come from the same address. */
  before: JwtVerifiers | undefined;
  proxyEnvironment: ProxyEnvironment | undefined;
}

/**
 * Checks JSON Web Tokens of the configured issuers. The claims `channels` (a list, or names
 * separated by spaces; absent: all), `publish` and `metrics` (default false) are the rights; `exp`,
 * `nbf`, `iss` and `aud` are checked as RFC 7519 says, give or take `clock_skew`.
 */
export class JwtVerifiers {
  readonly #bySecret: readonly Verifier[];
  readonly #byPublishedKeys: readonly Verifier[];
  readonly #published = new Map<string, PublishedKeys>();

  constructor(
    configs: readonly JwtConfig[],
    { clock, before, proxyEnvironment }: JwtVerifiersOptions,
  ) {
    this.#bySecret = configs.flatMap((config) => {
      const { secret } = config;
      if (secret === undefined) return [];
      const key = new TextEncoder().encode(secret);
      return [{
        config,
        keys: `secret:${createHash("sha256").update(secret).digest("hex")}`,
        check: async (token, options) =>
          (await jwtVerify(token, key, { ...options, algorithms: SECRET_ALGORITHMS })).payload,
      }];
    });
    this.#byPublishedKeys = configs.flatMap((config) => {
      const { jwks_url: url, keep_keys_for: keepForMs } = config;
      if (url === undefined) return [];
      const known = before === undefined ? undefined : before.#published.get(url);
      const published = this.#published.get(url) ?? known ??
        new PublishedKeys(url, { clock, proxyEnvironment });
      this.#published.set(url, published);
      return [{
        config,
        keys: `jwks:${url}`,
        check: (token, options) => published.verify(token, { ...options, keepForMs }),
      }];
    });
  }

  get size(): number {
    return this.#bySecret.length + this.#byPublishedKeys.length;
  }

  /** Checks one token. Never throws. */
  async verify(token: string): Promise<Authentication> {
    const { alg, iss } = claimsUnchecked(token);
    const verifiers = alg?.startsWith("HS") ? this.#bySecret : this.#byPublishedKeys;
    if (alg === undefined || verifiers.length === 0) return NOT_KNOWN;
    // Of several issuers only those are asked that the token may be of: no other's keys are fetched.
    const named = verifiers.filter(({ config: { issuer } }) =>
      issuer === undefined || issuer === iss
    );
    let refusal: Authentication | undefined;
    for (const verifier of named.length === 0 ? verifiers.slice(0, 1) : named) {
      const result = await verifyBy(verifier, token);
      if (result.ok) return result;
      // One that cannot tell just now might have said yes.
      if (refusal === undefined || (!refusal.ok && !refusal.isUndecided)) refusal = result;
    }
    return refusal ?? NOT_KNOWN;
  }

  /** Whether a token that was accepted with these would be still, as far as its issuer goes. */
  stillAccepts({ keys, issuer, audiences }: JwtCredential): boolean {
    return [...this.#bySecret, ...this.#byPublishedKeys].some(({ config, keys: own }) =>
      own === keys && (config.issuer === undefined || config.issuer === issuer) &&
      (config.audience === undefined || audiences.includes(config.audience))
    );
  }
}

const NOT_KNOWN: Authentication = { ok: false, why: "the token is not known here" };

async function verifyBy(verifier: Verifier, token: string): Promise<Authentication> {
  const { issuer, audience, clock_skew } = verifier.config;
  try {
    const payload = await verifier.check(token, {
      clockTolerance: clock_skew / 1000,
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
    });
    return identify(payload, verifier);
  } catch (error) {
    if (error instanceof KeysUnavailable) {
      return { ok: false, why: "the token cannot be checked just now", isUndecided: true };
    }
    return { ok: false, why: whyNot(error) };
  }
}

function identify(payload: JWTPayload, { config, keys }: Verifier): Authentication {
  const { sub, exp, iss, aud = [], channels, publish, metrics } = payload;
  const names = channelsOf(channels);
  if (names === undefined) {
    return { ok: false, why: `the token's "channels" is not a list of channel names` };
  }
  const reader = readerOf(names);
  return {
    ok: true,
    identity: {
      name: typeof sub === "string" ? `jwt:${sub.slice(0, MAX_SUBJECT)}` : "jwt",
      ...reader,
      mayPublish: publish === true,
      mayReadMetrics: metrics === true || reader.readsAll,
      credential: { kind: "jwt", keys, issuer: iss, audiences: [aud].flat() },
      ...(exp === undefined ? {} : { expiresAt: exp + config.clock_skew / 1000 }),
    },
  };
}

function channelsOf(claim: unknown): string[] | undefined {
  if (claim === undefined) return ["*"];
  if (typeof claim === "string") return claim.split(/\s+/).filter((name) => name !== "");
  if (Array.isArray(claim) && claim.every((name) => typeof name === "string")) return claim;
  return undefined;
}

/** What a token says of itself, before anything of it is checked; empty if it is no token. */
function claimsUnchecked(token: string): { alg?: string; iss?: string } {
  const [header = "", payload = ""] = token.split(".", 2);
  const alg = fieldOf(header, "alg");
  const iss = fieldOf(payload, "iss");
  return { ...(alg === undefined ? {} : { alg }), ...(iss === undefined ? {} : { iss }) };
}

function fieldOf(part: string, name: string): string | undefined {
  try {
    const value = JSON.parse(atob(part.replaceAll("-", "+").replaceAll("_", "/")))[name];
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Says what is wrong with a token, and nothing of what is in it. */
function whyNot(error: unknown): string {
  if (error instanceof errors.JWTExpired) return "the token has expired";
  if (error instanceof errors.JWTClaimValidationFailed) {
    return `the token's "${error.claim}" is not what is expected here`;
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return "the token's signature is not valid";
  }
  if (error instanceof errors.JWKSNoMatchingKey) return "the token's key is not known here";
  if (error instanceof errors.JOSEAlgNotAllowed) return "the token's algorithm is not allowed here";
  if (error instanceof errors.JOSENotSupported) return "the token asks for what is not known here";
  return "the token is not known here";
}
