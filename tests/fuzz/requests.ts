import fc from "fast-check";
import { ORIGIN, TOKENS } from "./fuzzed_hub.ts";

/** A request as it is to be written to a socket. */
export interface Asked {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const bytes = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((n) => String.fromCharCode(n)),
});

/** What may stand in a header's value, as one character a byte. */
const headerText = fc.string({
  unit: fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
    fc.integer({ min: 0, max: 0xff }).filter((n) => n !== 0x0a && n !== 0x0d),
  ).map((n) => String.fromCharCode(n)),
  maxLength: 60,
});

const method = fc.oneof(
  { weight: 12, arbitrary: fc.constant("GET") },
  fc.constantFrom("HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "get", "FOO"),
);

const path = fc.oneof(
  { weight: 12, arbitrary: fc.constant("/ws") },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      "/",
      "/events",
      "/publish",
      "/snapshot",
      "/snapshot/system_status",
      "/snapshot/nope",
      "/snapshot/",
      "/status",
      "/healthz",
      "/readyz",
      "/WS",
      "/ws/",
      "//ws",
      "/../ws",
      "/%77s",
      "/%00",
      "/%",
    ),
  },
  bytes.map((text) => `/${text.replaceAll("#", "")}`),
);

const number = fc.oneof(
  fc.integer(),
  fc.constantFrom("NaN", "-1", "1e9", "9".repeat(40), "0x1", ""),
);

const query = fc.record({
  channels: fc.oneof(
    fc.constantFrom("notification", "heartbeat,error", ",,,", "nope,__proto__", "secret"),
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.integer({ min: 1, max: 900 }).map((count) =>
      Array.from({ length: count }, (_, n) => `c${n}`).join()
    ),
  ),
  session: fc.string({ unit: "binary", maxLength: 100 }),
  epoch: fc.string({ unit: "binary", maxLength: 100 }),
  since: number.map(String),
  batch: fc.constantFrom("1", "0", "yes"),
  token: fc.oneof(fc.constantFrom(TOKENS.all, TOKENS.few, ""), fc.string({ maxLength: 40 })),
}, { requiredKeys: [] }).map((fields) => {
  const search = new URLSearchParams(fields).toString();
  return search === "" ? "" : `?${search}`;
});

const rawQuery = bytes.map((text) => `?${text.replaceAll("#", "")}`);

/** Headers that are right for a WebSocket; a mutation takes one away, or makes it something else. */
const RIGHT = [
  ["Host", "127.0.0.1"],
  ["Upgrade", "websocket"],
  ["Connection", "Upgrade"],
  ["Sec-WebSocket-Version", "13"],
  ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
  ["Authorization", `Bearer ${TOKENS.all}`],
] as const;

const encodedToken = (token: string) => `holdfast.token.${btoa(token).replaceAll("=", "")}`;

const mutation = fc.oneof(
  fc.record({
    name: fc.constantFrom(...RIGHT.slice(1).map(([name]) => name)),
    value: fc.constant(undefined),
  }),
  fc.record({
    name: fc.constantFrom(...RIGHT.slice(1).map(([name]) => name)),
    value: headerText,
  }),
  fc.constantFrom(
    { name: "Upgrade", value: "WebSocket" },
    { name: "Upgrade", value: "h2c" },
    { name: "Connection", value: "keep-alive, Upgrade" },
    { name: "Connection", value: "close" },
    { name: "Sec-WebSocket-Version", value: "8" },
    { name: "Authorization", value: `Bearer ${TOKENS.few}` },
    { name: "Authorization", value: `bearer   ${TOKENS.all}  ` },
    { name: "Authorization", value: `Basic ${btoa("a:b")}` },
    { name: "Origin", value: ORIGIN },
    { name: "Origin", value: "null" },
    { name: "Origin", value: "https://elsewhere.example" },
    { name: "Origin", value: "https://" },
    { name: "Origin", value: `${ORIGIN}.evil.example` },
    { name: "Origin", value: "file://" },
    { name: "Sec-WebSocket-Protocol", value: "holdfast" },
    { name: "Sec-WebSocket-Protocol", value: `holdfast,${encodedToken(TOKENS.few)}` },
    { name: "Sec-WebSocket-Protocol", value: "holdfast.token.%%%" },
    { name: "Last-Event-ID", value: "-1" },
    { name: "Content-Length", value: "7" },
    { name: "Transfer-Encoding", value: "chunked" },
    { name: "X-Forwarded-For", value: "1.2.3.4, <script>" },
  ),
  fc.record({
    name: fc.constantFrom("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Cookie"),
    value: headerText,
  }),
);

function mutated(mutations: readonly { name: string; value: string | undefined }[]) {
  const headers = new Map<string, string>(RIGHT);
  for (const { name, value } of mutations) {
    if (value === undefined) headers.delete(name);
    else headers.set(name, value);
  }
  return [...headers];
}

/**
 * A handshake that is right, or wrong in a few places. `Host` is always a host and
 * `Origin` an origin: what a hub makes of others is in `outlandish_headers_test.ts`.
 */
export const request: fc.Arbitrary<Asked> = fc.record({
  headers: fc.array(mutation, { maxLength: 3 }).map(mutated),
  method,
  target: fc.tuple(path, fc.oneof({ weight: 4, arbitrary: query }, rawQuery)).map((parts) =>
    parts.join("")
  ),
  version: fc.oneof(
    { weight: 20, arbitrary: fc.constant("HTTP/1.1") },
    fc.constantFrom("HTTP/1.0", "HTTP/9", ""),
  ),
});

const published = fc.oneof(
  fc.record({
    channel: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom("notification", "system_status", "agent_status") },
      fc.constantFrom("heartbeat", "error", "nope", "", "__proto__", "welcome", "A"),
      fc.jsonValue(),
    ),
    data: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }), fc.jsonValue()),
  }, { requiredKeys: [] }).map((value) => JSON.stringify(value)),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.integer({ min: 8100, max: 8300 }).map((length) => " ".repeat(length)),
  fc.integer({ min: 1, max: 3000 }).map((depth) =>
    `{"channel":"notification","data":${"[".repeat(depth)}`
  ),
);

/** What is posted to `/publish`, and with whose token. */
export const publication = fc.record({
  body: published.map((text) => text.toWellFormed()),
  token: fc.oneof(
    { weight: 8, arbitrary: fc.constant(TOKENS.all) },
    fc.constantFrom(TOKENS.few, "wrong"),
  ),
});
