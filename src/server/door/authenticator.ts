import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import type { AuthConfig, TokenConfig } from "../../config/schema.ts";
import { type Clock, systemClock } from "../../resilience/clock.ts";
import type { ProxyEnvironment } from "../../rpc/http/proxy.ts";
import type { Authentication, Identity } from "./identity.ts";
import { JwtVerifiers } from "./jwt.ts";
import { readerOf } from "./rights.ts";

/** The identity of every client where no `auth` is configured: reads all, may not publish. */
const ANYBODY: Identity = {
  name: "anybody",
  mayRead: () => true,
  readsAll: true,
  reads: ["*"],
  mayPublish: false,
  mayReadMetrics: true,
  credential: { kind: "none" },
};

export interface AuthenticatorOptions {
  clock?: Clock;
  /** Whose fetched keys are taken over where they come from the same address. */
  before?: Authenticator;
  /** The proxies by which identity providers are reached. Default: none. */
  proxyEnvironment?: ProxyEnvironment | undefined;
}

/**
 * Looks at tokens: the configured ones, then JSON Web Tokens. Configured ones are compared by
 * their digests in constant time, all of them each time, so that the time taken tells nothing.
 */
export class Authenticator {
  readonly #tokens: readonly { digest: Uint8Array; identity: Identity }[];
  readonly #jwt: JwtVerifiers;

  constructor(config: AuthConfig, options: AuthenticatorOptions = {}) {
    const { clock = systemClock, before, proxyEnvironment } = options;
    this.#tokens = config.tokens.map((token) => {
      const digest = digestOf(token.token);
      return { digest, identity: identityOf(token, digest) };
    });
    const known = before === undefined ? undefined : before.#jwt;
    this.#jwt = new JwtVerifiers(config.jwt, { clock, before: known, proxyEnvironment });
  }

  /** Whether anybody who can connect may come in. */
  get isOpen(): boolean {
    return this.#tokens.length === 0 && this.#jwt.size === 0;
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
    return await this.#jwt.verify(token);
  }

  /**
   * What somebody who came in under other rules may do under these; undefined: nothing any more.
   * A JSON Web Token keeps the rights it was given for as long as its issuer counts.
   */
  renew(identity: Identity): Identity | undefined {
    if (this.isOpen) return ANYBODY;
    const { credential } = identity;
    switch (credential.kind) {
      case "none":
        return undefined;
      case "token":
        return this.#tokens.map((token) => token.identity)
          .find(({ credential: own }) => own.kind === "token" && own.digest === credential.digest);
      case "jwt":
        return this.#jwt.stillAccepts(credential) ? identity : undefined;
    }
  }
}

function identityOf(
  { name, channels, publish, metrics }: TokenConfig,
  digest: Uint8Array,
): Identity {
  const reader = readerOf(channels);
  return {
    name,
    ...reader,
    mayPublish: publish,
    mayReadMetrics: metrics || reader.readsAll,
    credential: { kind: "token", digest: Buffer.from(digest).toString("hex") },
  };
}

function digestOf(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}
