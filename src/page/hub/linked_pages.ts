/// <reference lib="dom" />
import { type AskedHub, askForText } from "./ask_hub.ts";

/** How long the browser may take to open a copy before it is let go, in milliseconds. */
const KEEP_MS = 60_000;

/** How long the hub may take to answer, in milliseconds: somebody waits, and a list may be long. */
const ANSWER_MS = 10_000;

/**
 * Makes the links within an element work where the hub asks for a token. A browser sends none with
 * a link, and in an address it would stay in the history: the page fetches what is linked to, and
 * opens the copy.
 */
export function openWithToken(links: HTMLElement, asked: AskedHub): void {
  links.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (asked.token() === undefined || link === null) return;
    if (link.getAttribute("href")?.startsWith("#")) return; // a place on this page
    event.preventDefault();
    fetchCopy(asked, link.href).then(show, (error) => {
      link.title = `${link.href} cannot be shown: ${
        error instanceof Error ? error.message : error
      }`;
      link.setAttribute("aria-invalid", "true");
    });
  });
}

/** @throws {Error} If the hub does not give it. */
async function fetchCopy(asked: AskedHub, url: string): Promise<Blob> {
  const text = await askForText(asked, url, { timeoutMs: ANSWER_MS });
  // Always as text: nothing that the hub passes on may run as a page of its origin.
  return new Blob([text], { type: "text/plain;charset=utf-8" });
}

function show(copy: Blob): void {
  const url = URL.createObjectURL(copy);
  const link = document.createElement("a");
  link.href = url;
  link.target = "_blank";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEEP_MS);
}
