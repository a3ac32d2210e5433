/** A set of published keys (JWKS, RFC 7517): which of them can be used, and how they are. */
import {
  errors,
  importJWK,
  type JWK,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
} from "jose";

/** Only public-key algorithms go with published keys: or a public key could be used as a secret. */
export const PUBLIC_KEY_ALGORITHMS = [
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

/** Keys of one set beyond these are left aside: a provider has a handful. */
const MAX_KEYS = 100;

export interface KeySet {
  readonly usable: JWK[];
  /** Those that should be and cannot, by name. */
  readonly malformed: readonly string[];
}

/** The keys of a set for signatures; undefined if it is none. */
export async function readKeySet(set: unknown): Promise<KeySet | undefined> {
  const keys: unknown = typeof set === "object" && set !== null && "keys" in set ? set.keys : 0;
  if (!Array.isArray(keys)) return undefined;
  const usable: JWK[] = [];
  const malformed = new Set<string>();
  for (const [index, key] of keys.slice(0, MAX_KEYS).entries()) {
    if (!isForSignatures(key)) continue;
    if (await canBeImported(key)) usable.push(key);
    else malformed.add(typeof key.kid === "string" ? key.kid.slice(0, 64) : `number ${index}`);
  }
  return { usable, malformed: [...malformed] };
}

/** Keys for encryption, and of kinds that are not used here, are none of our business. */
function isForSignatures(key: unknown): key is JWK {
  if (typeof key !== "object" || key === null) return false;
  const { kty, use, alg } = key as Record<string, unknown>;
  if (kty !== "RSA" && kty !== "EC" && kty !== "OKP") return false;
  if (use !== undefined && use !== "sig") return false;
  return alg === undefined || (typeof alg === "string" && PUBLIC_KEY_ALGORITHMS.includes(alg));
}

async function canBeImported(key: JWK): Promise<boolean> {
  try {
    await importJWK(key, key.alg ?? USUAL_ALGORITHM[`${key.kty} ${key.crv ?? ""}`.trim()]);
    return true;
  } catch {
    return false;
  }
}

/** A key need not say what for; any algorithm of its kind shows whether it is well formed. */
const USUAL_ALGORITHM: Readonly<Record<string, string>> = {
  "RSA": "RS256",
  "EC P-256": "ES256",
  "EC P-384": "ES384",
  "EC P-521": "ES512",
  "OKP Ed25519": "EdDSA",
};

/** Verifies a token by known keys; one that names no key is tried with each that could be it. */
export async function verifyWith(
  find: JWTVerifyGetKey,
  token: string,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, find, options)).payload;
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
