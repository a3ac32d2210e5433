import { PAGE_HTML, PAGE_SCRIPT_HASH, PAGE_STYLE_HASH } from "./built.ts";

export interface PageOptions {
  /** The hub wants a token and got no good one: the page asks for it at once. */
  wantsToken: boolean;
}

/** The whole page as one HTML document. */
export function pageHtml({ wantsToken }: PageOptions): string {
  return wantsToken ? PAGE_HTML.replace("<body>", `<body data-token="wanted">`) : PAGE_HTML;
}

/**
 * The policy the page lives under (Content Security Policy Level 3): its own script and style by
 * their hashes, connections to its own hub, nothing else from anywhere. The icon is a `data:` URL.
 * Trusted Types without a single policy leave no way to turn text into markup.
 */
export const PAGE_POLICY = [
  "default-src 'none'",
  `script-src '${PAGE_SCRIPT_HASH}'`,
  `style-src '${PAGE_STYLE_HASH}'`,
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");
