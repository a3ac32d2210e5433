/** What the hub needs of a connection; WebSocket or event stream, it cannot tell. */
export interface Transport {
  /** Bytes handed over and not yet taken by the operating system. */
  readonly bufferedBytes: number;
  /**
   * Bytes that the peer has acknowledged in the connection's life: they grow as long as it takes
   * anything, which {@linkcode bufferedBytes} need not show. `undefined`, or no such method, where
   * that is not known of this client alone.
   */
  takenBytes?(): number | undefined;
  /**
   * Hands over one text frame.
   *
   * @param seq What a client may resume from once it has this frame; absent where it may not.
   * @throws If the connection cannot be written to.
   */
  send(text: string, seq?: number): void;
  /**
   * Begins to end the connection, frames handed over before going first. Must see to it that the
   * connection is really gone a bounded time later, whatever the peer does. Never throws.
   *
   * @param withinMs That time. Default: the transport's own.
   */
  close(code: number, reason: string, withinMs?: number): void;
}
