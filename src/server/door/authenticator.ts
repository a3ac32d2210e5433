import { createHash, timingSafeEqual } from "node:crypto";
import type { AuthConfig, TokenConfig } from "../../config/schema.ts";
import { type JwtVerifier, verifierOf } from "./jwt.ts";
import type { Authentication, Identity } from "./identity.ts";
import { readerOf } from "./rights.ts";

/** Whoever comes where no `auth` is configured: may read all, but publishing takes a token. */
const ANYBODY: Identity = { name: "anybody", mayRead: () => true, mayPublish: false };

/**
 * Looks at tokens: the configured ones, then JSON Web Tokens. Configured ones are compared by
 * their digests in constant time, all of them each time, so that the time taken tells nothing.
 */
export class Authenticator {
  readonly #tokens: readonly { digest: Uint8Array; identity: Identity }[];
  readonly #jwt: JwtVerifier | undefined;

  constructor(config: AuthConfig) {
    this.#tokens = config.tokens.map((token) => ({
      digest: digestOf(token.token),
      identity: identityOf(token),
    }));
    this.#jwt = config.jwt && verifierOf(config.jwt);
  }

  /** Whether anybody who can connect may come in. */
  get isOpen(): boolean {
    return this.#tokens.length === 0 && this.#jwt === undefined;
  }

  async authenticate(token: string | undefined): Promise<Authentication> {
    if (this.isOpen) return { ok: true, identity: ANYBODY };
    if (token === undefined) {
      return {
        ok: false,
        why: "a token is needed: as Authorization: Bearer, as the subprotocol " +
          "holdfast.token.<base64url of it>, or as the query's token",
      };
    }
    const digest = digestOf(token);
    let found: Identity | undefined;
    for (const each of this.#tokens) {
      if (timingSafeEqual(each.digest, digest)) found = each.identity;
    }
    if (found) return { ok: true, identity: found };
    return await this.#jwt?.(token) ?? { ok: false, why: "the token is not known here" };
  }
}

function identityOf({ name, channels, publish }: TokenConfig): Identity {
  return { name, mayRead: readerOf(channels), mayPublish: publish };
}

function digestOf(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}
