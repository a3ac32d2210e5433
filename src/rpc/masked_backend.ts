import {
  type Backend,
  type Call,
  isStreaming,
  type Outcome,
  type StreamEnd,
  type StreamEvent,
  type StreamingBackend,
} from "./backend.ts";
import { withoutSecret } from "./without_secret.ts";

/** Header names whose values are no secrets. */
const OPEN_HEADERS = /^(accept(-.+)?|cache-control|content-type|origin|referer|user-agent)$/i;

/** What is shorter is no secret, and a word that may well stand in an error's text. */
const SHORTEST_SECRET = 6;

/**
 * The secrets in what a backend is sent: its headers' values, with and without the scheme, and the
 * logins and queries of addresses.
 */
export function secretsIn(
  headers: Readonly<Record<string, string>>,
  addresses: readonly string[] = [],
): string[] {
  const secrets = Object.entries(headers).filter(([name]) => !OPEN_HEADERS.test(name))
    .flatMap(([, value]) => [value, ...credentialsOf(value)]);
  for (const address of addresses) {
    const url = URL.parse(address);
    if (url === null) continue;
    const [user, password] = [decoded(url.username), decoded(url.password)];
    secrets.push(url.password, password, ...url.searchParams.values());
    if (password !== "") secrets.push(base64(`${user}:${password}`)); // as it is sent
  }
  return [...new Set(secrets)].filter(({ length }) => length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length); // what holds another goes first
}

/** What stands behind a scheme such as `Bearer`, and the password in what `Basic` encodes. */
function credentialsOf(value: string): string[] {
  const [, scheme = "", credentials = ""] = /^(\S+)\s+(.+)$/.exec(value) ?? [];
  if (scheme.toLowerCase() !== "basic") return [credentials];
  try {
    const login = atob(credentials);
    return [credentials, login, login.slice(login.indexOf(":") + 1)];
  } catch {
    return [credentials];
  }
}

/** Values of a call's own query and params are mostly words; those that open something are longer. */
const SHORTEST_VALUE = 12;

/** What may be a secret in a call itself, such as an API key that goes with the path. */
function secretsInCall({ method, params, headers = {} }: Call): string[] {
  const [, ...query] = method.split("?");
  const values = [...new URLSearchParams(query.join("?")).values(), ...textsIn(params)];
  return [...secretsIn(headers), ...values.filter(({ length }) => length >= SHORTEST_VALUE)];
}

/** The texts in a value, however deep: the configuration's own bounds hold for it. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * A backend whose errors show none of these secrets, nor those in a call's own headers: servers
 * like to echo what they were sent.
 */
export function maskedBackend(backend: Backend, secrets: readonly string[]): Backend {
  const secretsFor = (call: Call) => [...secretsInCall(call), ...secrets];
  const masked: Backend = {
    call: async (call, options) => maskReason(await backend.call(call, options), secretsFor(call)),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
    ...(backend.describe === undefined
      ? {}
      : { describe: (call: Call) => backend.describe?.(call) ?? "" }),
  };
  if (!isStreaming(backend)) return masked;
  const streaming: StreamingBackend = { ...masked, stream: maskedStream(backend, secretsFor) };
  return streaming;
}

function maskedStream(
  backend: StreamingBackend,
  secretsFor: (call: Call) => readonly string[],
): StreamingBackend["stream"] {
  return async function* stream(
    call: Call,
    options: { signal: AbortSignal },
  ): AsyncGenerator<StreamEvent, StreamEnd, undefined> {
    const secrets = secretsFor(call);
    const events = backend.stream(call, options);
    try {
      for (;;) {
        const next = await events.next();
        if (next.done) return maskReason(next.value, secrets);
        const event = next.value;
        yield event.kind === "message"
          ? { ...event, read: async () => maskReason(await event.read(), secrets) }
          : event;
      }
    } finally {
      await events.return(ENDED);
    }
  };
}

/** For a reader that leaves a stream early; it is never shown. */
const ENDED: StreamEnd = { kind: "unavailable", reason: "the reader has left" };

function maskReason<Result extends Outcome | StreamEnd>(
  result: Result,
  secrets: readonly string[],
): Result {
  if (!("reason" in result)) return result;
  const { reason } = result;
  const masked = secrets.reduce(withoutSecret, reason);
  return masked === reason ? result : { ...result, reason: masked };
}
