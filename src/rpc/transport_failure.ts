const CONNECTION_RESET = "connection reset";
const CONNECTION_CLOSED = "the connection closed before the answer was complete";

/** Patterns of what the runtime says of a failed request, and what we say of it instead. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/connection refused|ECONNREFUSED/i, "connection refused"],
  [/connection reset|ECONNRESET|broken pipe|EPIPE/i, CONNECTION_RESET],
  [/dns error|failed to lookup|ENOTFOUND|EAI_AGAIN/i, "name not found"],
  [/not valid for name|NotValidForName/i, "TLS certificate is for another name"],
  [/invalid peer certificate:.*expired/i, "TLS certificate has expired"],
  [/invalid peer certificate:.*not ?valid ?yet/i, "TLS certificate is not valid yet"],
  [/invalid peer certificate/i, "TLS certificate not trusted"],
  [/corrupt message|InvalidContentType/i, "the server does not speak TLS on this port"],
  [/without sending TLS close_notify/i, CONNECTION_CLOSED],
  [/\btls\b|handshake|received fatal alert/i, "TLS handshake failed"],
  [/message head is too large/i, "the answer's headers are too large"],
  [/invalid HTTP|invalid header|parsed$|unexpected message/i, "the answer is not HTTP"],
  [
    /unexpected end of file|incorrect (header|data) check|invalid (block|stored|distance)|gzip|deflate|brotli|decompress/i,
    "the compressed answer is damaged",
  ],
  [/closed before message completed|reading a body|incomplete message/i, CONNECTION_CLOSED],
  [/unreachable|no route to host/i, "host unreachable"],
  [/timed out|ETIMEDOUT/i, "connection timed out"],
  [/too many open files/i, "too many open files on this machine"],
  [/requests to port \d+ are blocked/i, "this port is never used for HTTP; use another one"],
  [/bad resource id/i, "the backend was closed"],
];

/** Longest chain of causes that is looked through. */
const MAX_CAUSES = 4;

/**
 * Says in a few words why a request got no answer. The runtime's own message is never part of it:
 * it holds the URL, and with it whatever secret the URL holds.
 */
export function transportFailure(error: unknown): string {
  const chain = causesOf(error);
  if (chain.some((each) => each instanceof Deno.errors.NotCapable)) {
    return "not permitted: run with --allow-net for the backend's address";
  }
  for (const each of chain) {
    const message = withoutUrl(each.message);
    const known = REASONS.find(([pattern]) => pattern.test(message));
    if (known) return known[1];
  }
  return "the request failed";
}

function causesOf(error: unknown): Error[] {
  const chain: Error[] = [];
  while (error instanceof Error && chain.length < MAX_CAUSES) {
    chain.push(error);
    error = error.cause;
  }
  return chain;
}

/** A path such as `/connection-refused` must not be taken for the reason. */
function withoutUrl(message: string): string {
  return message.replace(/^error sending request .*?: (?=client error)/s, "");
}
