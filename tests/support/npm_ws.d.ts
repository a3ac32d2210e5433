/** Types of `npm:ws`, which ships none, as far as the tests use it. */
declare class WebSocket {
  constructor(url: string, protocols?: string[]);
  readonly protocol: string;
  on(event: "open", listener: () => void): this;
  on(event: "message", listener: (data: Uint8Array, isBinary: boolean) => void): this;
  on(event: "pong", listener: () => void): this;
  on(event: "close", listener: (code: number, reason: Uint8Array) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  send(data: string): void;
  ping(): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
}
export default WebSocket;
