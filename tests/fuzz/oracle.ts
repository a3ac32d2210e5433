import { REFUSALS_TOLD_SINGLY } from "../../src/hub/client_requests.ts";

/** What a hub has to do with one text message, worked out from the contract and not from the hub. */
export type Expected =
  | { readonly kind: "too_big" }
  | { readonly kind: "bad" }
  | { readonly kind: "pong"; readonly id: unknown }
  /** So many refusals, then the list of channels. */
  | { readonly kind: "subscribed"; readonly refusals: number };

export interface Rules {
  readonly maxBytes: number;
  readonly known: ReadonlySet<string>;
  readonly mayRead: (channel: string) => boolean;
  /** The channels the client is subscribed to; kept up to date. */
  readonly subscribed: Set<string>;
}

export function expect(text: string, rules: Rules): Expected {
  if (new TextEncoder().encode(text).length > rules.maxBytes) return { kind: "too_big" };
  const message = read(text);
  if (message === undefined) return { kind: "bad" };
  if (message.type === "ping") return expectPong(message);
  if (message.type !== "subscribe" && message.type !== "unsubscribe") return { kind: "bad" };
  const { channels } = message;
  if (!Array.isArray(channels) || channels.length > 1024) return { kind: "bad" };
  if (!channels.every((each): each is string => typeof each === "string")) return { kind: "bad" };
  const refused = message.type === "subscribe"
    ? subscribe(new Set(channels), rules)
    : unsubscribe(new Set(channels), rules);
  return { kind: "subscribed", refusals: Math.min(refused, REFUSALS_TOLD_SINGLY + 1) };
}

function expectPong(message: Record<string, unknown>): Expected {
  const { id } = message;
  if (id === undefined) return { kind: "pong", id };
  if (typeof id === "number" && Number.isFinite(id)) return { kind: "pong", id };
  if (typeof id === "string" && id.length <= 128) return { kind: "pong", id };
  return { kind: "bad" };
}

function subscribe(channels: Set<string>, { known, mayRead, subscribed }: Rules): number {
  let refused = 0;
  for (const channel of channels) {
    if (known.has(channel) && mayRead(channel)) subscribed.add(channel);
    else refused += 1;
  }
  return refused;
}

function unsubscribe(channels: Set<string>, { known, subscribed }: Rules): number {
  let refused = 0;
  for (const channel of channels) {
    if (!subscribed.delete(channel) && !known.has(channel)) refused += 1;
  }
  return refused;
}

function read(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : undefined;
  } catch {
    return undefined;
  }
}

/** Text that only a program's insides have: a stack, a path of its sources, a type's name. */
const INSIDES =
  /\n\s+at |file:\/\/|\.ts:\d|\b(Type|Syntax|Range|Reference)Error\b|\bnode_modules\b/;

/** Fails if an answer shows the hub's insides. `sent` may quote them: then nothing can be told. */
export function requireNoInsides(answer: string, sent: string): void {
  const found = INSIDES.exec(answer)?.[0];
  if (found === undefined || INSIDES.test(sent)) return;
  throw new Error(`the answer shows the hub's insides (${found}): ${answer.slice(0, 400)}`);
}
