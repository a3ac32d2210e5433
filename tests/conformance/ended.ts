/** How a client of another maker saw its connection end. */
export interface Ended {
  readonly code: number;
  readonly reason: string;
}

/** What every client that can report a close must report; the codes are the contract's. */
export const CLOSES = {
  badMessages: { code: 1008, reason: "too many messages the hub could not accept" },
  tooBig: { code: 1009, reason: "message too big" },
  shutdown: { code: 1001, reason: "the hub is shutting down" },
  slow: { code: 1013, reason: "slow client" },
} as const;

/** The token of the hub that foreign clients talk to. */
export const TOKEN = "conformance-token-1f";

/** That token as a browser has to send it. */
export const TOKEN_PROTOCOL = `holdfast.token.${btoa(TOKEN).replaceAll("=", "")}`;

/** A hub for foreign clients: quick heartbeats, a token, nothing polled. */
export function configOf(changes: { origins?: readonly string[] } = {}): object {
  return {
    sources: [],
    hub: { heartbeat_every: "100ms", messages_per_second: 1000 },
    auth: { tokens: [{ name: "conformance", token: TOKEN, publish: true }] },
    shutdown: { drain: "1s" },
    ...changes,
  };
}

/** Publishes a notification with a number. */
export async function publish(url: string, n: number): Promise<void> {
  const response = await fetch(`${url}/publish`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify({ channel: "notification", data: { n } }),
  });
  await response.body?.cancel();
  if (response.status !== 202) throw new Error(`publishing was answered with ${response.status}`);
}
