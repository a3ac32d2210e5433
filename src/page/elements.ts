/// <reference lib="dom" />
/** Elements made and updated in place. Text only ever becomes text: values are untrusted. */

export type Child = Node | string | undefined;

/** Attributes; `undefined` leaves one out, `true` is one without a value. */
export type Attributes = Readonly<Record<string, string | number | true | undefined>>;

/** Makes an element. */
export function h(tag: string, attributes: Attributes = {}, ...children: Child[]): HTMLElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child !== undefined) element.append(child);
  return element;
}

/** Text for those who listen, not shown. */
export function spoken(text: string): HTMLElement {
  return h("span", { class: "spoken" }, text);
}

/**
 * Makes the children of `parent` be like `next`, touching only what differs: focus, selection,
 * scrolling and what was unfolded stay.
 */
export function update(parent: Element, ...next: Child[]): void {
  const wanted = next.filter((child) => child !== undefined);
  wanted.forEach((child, index) => {
    const node = typeof child === "string" ? document.createTextNode(child) : child;
    const before = parent.childNodes[index];
    if (before === undefined) parent.append(node);
    else morph(before, node);
  });
  while (parent.childNodes.length > wanted.length) parent.lastChild?.remove();
}

function morph(before: ChildNode, next: Node): void {
  if (before === next) return;
  if (before instanceof Text && next instanceof Text) {
    if (before.data !== next.data) before.data = next.data;
  } else if (
    before instanceof Element && next instanceof Element && before.tagName === next.tagName
  ) {
    alignAttributes(before, next);
    update(before, ...next.childNodes);
  } else before.replaceWith(next);
}

/** What the reader changed, not the page. */
const THE_READERS = new Set(["open"]);

function alignAttributes(before: Element, next: Element): void {
  for (const name of before.getAttributeNames()) {
    if (!next.hasAttribute(name) && !THE_READERS.has(name)) before.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (before.getAttribute(name) !== value) before.setAttribute(name, value);
  }
}
