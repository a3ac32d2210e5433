import { Webhook } from "standardwebhooks";

/** How a secret begins that is base64, as the standard has it; any other is taken as it is. */
const PREFIX = "whsec_";

/** Why a secret cannot be used; undefined if it can. Never quotes it. */
export function problemOfSecret(secret: string): string | undefined {
  try {
    webhookOf(secret);
    return undefined;
  } catch {
    return `base64 behind "${PREFIX}", or any text without that beginning`;
  }
}

/** The headers of one call, as Standard Webhooks has them. */
export function signedHeaders(
  { id, body, secret }: { id: string; body: string; secret: string | undefined },
  unixMs: number,
): Record<string, string> {
  const headers = { "webhook-id": id, "webhook-timestamp": String(Math.floor(unixMs / 1000)) };
  if (secret === undefined) return headers;
  const signature = webhookOf(secret).sign(id, new Date(unixMs), body);
  return { ...headers, "webhook-signature": signature };
}

function webhookOf(secret: string): Webhook {
  return secret.startsWith(PREFIX) ? new Webhook(secret) : new Webhook(secret, { format: "raw" });
}
