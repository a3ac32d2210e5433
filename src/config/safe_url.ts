/** A URL as it may be shown: without credentials, query and fragment. */
export function safeUrl(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? "a URL" : `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
}
