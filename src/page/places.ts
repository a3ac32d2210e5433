/// <reference lib="dom" />

/** The places of index.html that the page fills. */
const IDS = [
  "version",
  "facts",
  "summary",
  "spoken",
  "banner",
  "banner-text",
  "retry",
  "door",
  "door-form",
  "door-error",
  "token",
  "named",
  "overview",
  "tools",
  "search",
  "window",
  "uptime",
  "notify",
  "failing",
  "backends",
  "groups",
  "history",
  "incidents",
  "more-incidents",
  "sources",
  "cards",
  "quiet",
  "aside",
  "log",
  "notes",
  "forget",
  "links",
  "icon",
  "zone",
] as const;

export type Places = Readonly<Record<typeof IDS[number], HTMLElement>>;

/** @throws {TypeError} If the document lacks one of them. */
export function findPlaces(): Places {
  const found = IDS.map((id) => {
    const element = document.getElementById(id);
    if (element === null) throw new TypeError(`Cannot show the page as it has no #${id}`);
    return [id, element] as const;
  });
  return Object.fromEntries(found) as Places;
}
