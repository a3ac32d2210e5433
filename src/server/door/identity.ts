/** What somebody may do here. */
export interface Rights {
  mayRead(channel: string): boolean;
  /** Whether it may read every channel there is and will be. */
  readonly readsAll: boolean;
  /** The same in names and patterns. */
  readonly reads: readonly string[];
  readonly mayPublish: boolean;
  /** Whether it may have `/metrics`, which speak of everything. */
  readonly mayReadMetrics: boolean;
}

/** Who is at the door, and what they may do. */
export interface Identity extends Rights {
  /** For logs: the token's name, never the token. */
  readonly name: string;
  /** When the right to be here ends, in unix seconds; absent: never. */
  readonly expiresAt?: number;
  /** By what it came in, to be looked up again when the rules change. */
  readonly credential: Credential;
}

/** What an identity was known by, without the secret itself. */
export type Credential =
  /** Nothing: it was not asked for any. */
  | { readonly kind: "none" }
  | { readonly kind: "token"; readonly digest: string }
  | {
    readonly kind: "jwt";
    /** Names the keys it was checked with. */
    readonly keys: string;
    readonly issuer: string | undefined;
    readonly audiences: readonly string[];
  };

/** What looking at a token came to. */
export type Authentication =
  | { readonly ok: true; readonly identity: Identity }
  | {
    readonly ok: false;
    readonly why: string;
    /** It may well be a good token, but that cannot be told just now. */
    readonly isUndecided?: true;
  };
