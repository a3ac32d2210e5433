/** Shorter values are no secrets, and hiding them would hide half the text. */
const SHORTEST_SECRET = 4;

/** Values of a query are mostly words; those that open something are longer. */
const SHORTEST_QUERY_SECRET = 12;

/** Headers that say what is sent or wanted, and open nothing. */
const OPEN_HEADERS = /^(accept(-\w+)?|content-type|user-agent|cache-control|prefer)$/;

/**
 * Hides what a configuration sends and should keep to itself, where an answer echoes it: values of
 * headers (with and without a scheme such as `Bearer`), the login inside Basic credentials, and
 * long values of the address' query.
 */
export class SecretMask {
  readonly #secrets: readonly string[];

  constructor(url: URL, headers: Headers) {
    const secrets = new Set<string>();
    for (const [name, value] of headers) {
      if (OPEN_HEADERS.test(name)) continue;
      secrets.add(value);
      const [scheme = "", ...rest] = value.split(" ");
      const credentials = rest.join(" ");
      if (credentials === "") continue;
      secrets.add(credentials);
      if (scheme.toLowerCase() === "basic") addLogin(credentials, secrets);
    }
    for (const value of url.searchParams.values()) {
      if (value.length < SHORTEST_QUERY_SECRET) continue;
      secrets.add(value).add(encodeURIComponent(value));
    }
    // The longest first: one may be a part of another.
    this.#secrets = [...secrets].filter(({ length }) => length >= SHORTEST_SECRET)
      .sort((a, b) => b.length - a.length);
  }

  mask(text: string): string {
    return this.#secrets.reduce((masked, secret) => masked.replaceAll(secret, "…"), text);
  }
}

function addLogin(credentials: string, secrets: Set<string>): void {
  try {
    const login = new TextDecoder().decode(
      Uint8Array.from(atob(credentials), (each) => each.charCodeAt(0)),
    );
    secrets.add(login).add(login.slice(login.indexOf(":") + 1));
  } catch {
    // no Basic credentials after all
  }
}
