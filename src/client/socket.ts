/**
 * As much of a WebSocket as the client uses: browsers, Deno and Node 22 have one, and the
 * packages `ws` and `undici` bring one to Node 20.
 */
export interface SocketLike {
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  /** Ends the connection without a closing handshake; only `ws` has it. */
  terminate?(): void;
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: "close",
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
}

export type SocketConstructor = new (url: string, protocols: string[]) => SocketLike;

export const READY = { connecting: 0, open: 1, closing: 2, closed: 3 } as const;
