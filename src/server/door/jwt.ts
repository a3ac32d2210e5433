import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
} from "jose";
import type { JwtConfig } from "../../config/schema.ts";
import { readBoundedBody } from "../../rpc/http/bounded_body.ts";
import { logOf } from "../../telemetry/log.ts";
import type { Authentication } from "./identity.ts";
import { readerOf } from "./rights.ts";

/** Checks one JSON Web Token. Never throws. */
export type JwtVerifier = (token: string) => Promise<Authentication>;

/** Only public-key algorithms go with published keys: or a public key could be used as a secret. */
const PUBLIC_KEY_ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
const SECRET_ALGORITHMS = ["HS256", "HS384", "HS512"];

/** How long published keys are used before they are fetched again, in milliseconds. */
const JWKS_MAX_AGE_MS = 10 * 60_000;
/** At most one fetch for unknown keys in this time, in milliseconds: tokens cannot drive fetches. */
const JWKS_COOLDOWN_MS = 10_000;
const JWKS_TIMEOUT_MS = 5_000;
/** A set of keys is some kilobytes. */
const JWKS_MAX_BYTES = 1024 * 1024;

/**
 * Makes the check for one issuer. The claims `channels` (a list, or names separated by spaces;
 * absent: all) and `publish` (default false) are the rights; `exp`, `nbf`, `iss` and `aud` are
 * checked as RFC 7519 says, give or take `clock_skew`.
 */
export function verifierOf(config: JwtConfig): JwtVerifier {
  const { jwks_url, secret, issuer, audience, clock_skew } = config;
  const options: JWTVerifyOptions = {
    clockTolerance: clock_skew / 1000,
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  };
  const key = secret === undefined ? undefined : new TextEncoder().encode(secret);
  const keys = jwks_url === undefined ? undefined : createRemoteJWKSet(new URL(jwks_url), {
    cacheMaxAge: JWKS_MAX_AGE_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    timeoutDuration: JWKS_TIMEOUT_MS,
    [customFetch]: fetchBounded,
  });
  return async (token) => {
    try {
      const isSecretKind = algorithmOf(token)?.startsWith("HS") === true;
      if (isSecretKind && key) {
        const verified = await jwtVerify(token, key, { ...options, algorithms: SECRET_ALGORITHMS });
        return identify(verified.payload, clock_skew);
      }
      if (!isSecretKind && keys) {
        const allowed = { ...options, algorithms: PUBLIC_KEY_ALGORITHMS };
        return identify(await verifyWithKeys(token, keys, allowed), clock_skew);
      }
      return { ok: false, why: "the token is not known here" };
    } catch (error) {
      const why = whyNot(error);
      if (why !== undefined) return { ok: false, why };
      // The issuer's keys cannot be had: that is our trouble, and the log's to tell.
      logOf("server").warning("jwks.unavailable", {
        why: error instanceof errors.JWKSTimeout ? "timed out" : "could not be fetched or read",
      });
      return { ok: false, why: "the token cannot be checked just now", isUndecided: true };
    }
  };
}

/** Fetches published keys, no more than there may be; reads whatever comes, an error's text too. */
const fetchBounded: FetchImplementation = async (url, options) => {
  const response = await fetch(url, options);
  const { signal } = options;
  const body = await readBoundedBody(response, { maxBytes: JWKS_MAX_BYTES, signal });
  if (body.kind !== "text") throw new TypeError("Cannot read the keys as they are not short text");
  return new Response(body.text === "" ? null : body.text, { status: response.status });
};

/** Verifies a token by published keys; one that names no key is tried with each that could be it. */
async function verifyWithKeys(
  token: string,
  keys: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (notThisKey) {
        if (!(notThisKey instanceof errors.JWSSignatureVerificationFailed)) throw notThisKey;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

function identify(payload: JWTPayload, clockSkewMs: number): Authentication {
  const { sub, exp, channels, publish } = payload;
  const names = channelsOf(channels);
  if (names === undefined) {
    return { ok: false, why: `the token's "channels" is not a list of channel names` };
  }
  return {
    ok: true,
    identity: {
      name: sub === undefined ? "jwt" : `jwt:${sub}`,
      mayRead: readerOf(names),
      mayPublish: publish === true,
      ...(exp === undefined ? {} : { expiresAt: exp + clockSkewMs / 1000 }),
    },
  };
}

function channelsOf(claim: unknown): string[] | undefined {
  if (claim === undefined) return ["*"];
  if (typeof claim === "string") return claim.split(/\s+/).filter((name) => name !== "");
  if (Array.isArray(claim) && claim.every((name) => typeof name === "string")) return claim;
  return undefined;
}

/** The algorithm a token says it is signed with; undefined if it is no token of three parts. */
function algorithmOf(token: string): string | undefined {
  try {
    const [header = ""] = token.split(".", 1);
    const { alg } = JSON.parse(atob(header.replaceAll("-", "+").replaceAll("_", "/")));
    return typeof alg === "string" ? alg : undefined;
  } catch {
    return undefined;
  }
}

/** Says what is wrong with a token, and nothing of what is in it; undefined if it is not the token. */
function whyNot(error: unknown): string | undefined {
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
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
    return "the token is not known here";
  }
  return undefined;
}
