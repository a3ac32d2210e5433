/** Where an HTTP backend is and what every request to it carries. */
export interface Endpoint {
  /** Without user, password and fragment. */
  readonly url: URL;
  readonly headers: Headers;
}

/**
 * Makes an endpoint of a configured URL and headers. `http://user:password@host` becomes an
 * `Authorization: Basic` header, unless that header is given, so that no URL we hold has a secret
 * in front of its host.
 *
 * @throws {RangeError} If the URL is not http(s) or a header cannot be sent. The message names
 * neither the URL nor a header's value: both may hold secrets.
 */
export function endpointOf(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Endpoint {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !["http:", "https:"].includes(parsed.protocol)) {
    throw new RangeError(
      "Cannot create a backend as 'url' must be an http:// or https:// URL: current value is " +
        (parsed === undefined ? "not a URL" : `one of scheme ${parsed.protocol.slice(0, -1)}`),
    );
  }
  const sent = headersOf(headers);
  const { username, password } = parsed;
  if ((username !== "" || password !== "") && !sent.has("authorization")) {
    sent.set("authorization", `Basic ${base64(`${decoded(username)}:${decoded(password)}`)}`);
  }
  parsed.username = "";
  parsed.password = "";
  parsed.hash = "";
  return { url: parsed, headers: sent };
}

/**
 * One source's headers beside its backend's, which they replace.
 *
 * @throws {RangeError} If a header cannot be sent.
 */
export function withHeaders(
  headers: Headers,
  further: Readonly<Record<string, string>> = {},
): Headers {
  const all = new Headers(headers);
  for (const [name, value] of headersOf(further)) all.set(name, value);
  return all;
}

function headersOf(given: Readonly<Record<string, string>>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    try {
      headers.append(name, value);
    } catch {
      throw new RangeError(
        `Cannot create a backend as header '${name}' is not one HTTP can carry: names are letters, ` +
          "digits and dashes, values have no line breaks and no characters past U+00FF",
      );
    }
  }
  return headers;
}

/** Userinfo as it was before percent-encoding; as it stands if it is not rightly encoded. */
function decoded(userinfo: string): string {
  try {
    return decodeURIComponent(userinfo);
  } catch {
    return userinfo;
  }
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
