import type { Clock } from "../resilience/clock.ts";
import { Ticker } from "../resilience/ticker.ts";
import type { Broker } from "./broker.ts";

/** What a hub is to its cluster. */
export type Role = "leader" | "follower" | "alone";

/** What a hub says of itself. */
export interface HubPresence {
  readonly hub: string;
  readonly role: Role;
  readonly clients: number;
  /** What the leader's `/status` says of the backends, for the others to show. */
  readonly backends?: Readonly<Record<string, unknown>>;
}

export interface PresenceOptions {
  clock: Clock;
  /** This hub, as it stands. */
  present: () => HubPresence;
}

/** Hubs say that they are there this often, in milliseconds. */
export const PRESENCE_EVERY_MS = 2000;

/** A hub not heard of for this long, in milliseconds, is taken to be gone. */
export const ABSENT_AFTER_MS = 3 * PRESENCE_EVERY_MS;

/** Hubs of one cluster that are remembered; more are not counted. */
export const MAX_HUBS = 256;

const TOPIC = "roll_call";

/** Who else is there: hubs tell each other now and then, and a newcomer asks. Nothing is kept. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #heard = new Map<string, { readonly presence: HubPresence; readonly at: number }>();

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** Every hub that is there, this one first. */
  hubs(): HubPresence[] {
    const { clock, present } = this.#options;
    const self = present();
    for (const [hub, { at }] of this.#heard) {
      if (clock.now() - at > ABSENT_AFTER_MS) this.#heard.delete(hub);
    }
    const others = [...this.#heard.values()].map(({ presence }) => presence);
    return [self, ...others.filter(({ hub }) => hub !== self.hub)];
  }

  /** Tells the others, and listens to them, until the connection is lost. */
  async run(broker: Broker): Promise<void> {
    const { clock } = this.#options;
    broker.listen(TOPIC, (text) => this.#hear(text, broker));
    this.#say(broker, { asks: true });
    const ticker = new Ticker(PRESENCE_EVERY_MS, {
      clock,
      signal: broker.lost,
      firstAfterMs: PRESENCE_EVERY_MS,
    });
    for await (const _tick of ticker) this.#say(broker);
  }

  /** This hub's role has changed: the others hear of it at once. */
  announce(broker: Broker): void {
    this.#say(broker);
  }

  /** This hub leaves. */
  sayGoodbye(broker: Broker): void {
    this.#say(broker, { leaves: true });
  }

  /** Nobody can be heard any more. */
  clear(): void {
    this.#heard.clear();
  }

  #say(broker: Broker, also: { asks?: true; leaves?: true } = {}): void {
    broker.say(TOPIC, JSON.stringify({ ...this.#options.present(), ...also }));
  }

  #hear(text: string, broker: Broker): void {
    const message = parse(text);
    if (message === undefined || message.hub === this.#options.present().hub) return;
    const { asks, leaves, ...presence } = message;
    if (leaves) {
      this.#heard.delete(presence.hub);
      return;
    }
    if (this.#heard.has(presence.hub) || this.#heard.size < MAX_HUBS) {
      this.#heard.set(presence.hub, { presence, at: this.#options.clock.now() });
    }
    if (asks) this.#say(broker);
  }
}

type Message = HubPresence & { asks?: boolean; leaves?: boolean };

function parse(text: string): Message | undefined {
  try {
    const message = JSON.parse(text) as Partial<Message>;
    const { hub, role, clients } = message;
    const isWhole = typeof hub === "string" && typeof role === "string" &&
      Number.isInteger(clients);
    return isWhole ? message as Message : undefined;
  } catch {
    return undefined;
  }
}
