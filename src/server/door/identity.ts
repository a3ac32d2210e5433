/** Who is at the door, and what they may do. */
export interface Identity {
  /** For logs. */
  readonly name: string;
  mayRead(channel: string): boolean;
  readonly mayPublish: boolean;
  /** When the right to be here ends, in unix seconds; absent: never. */
  readonly expiresAt?: number;
}

/** What looking at a token came to. */
export type Authentication =
  | { readonly ok: true; readonly identity: Identity }
  | {
    readonly ok: false;
    readonly why: string;
    /** It may well be a good token, but that cannot be told just now. */
    readonly isUndecided?: true;
  };
