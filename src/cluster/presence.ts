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
  /** Backends it has lately reached by itself while the leader does not. */
  readonly reaches?: readonly string[];
  /** It hands the lead over to this hub: the others let that one go first. */
  readonly hands_over_to?: string;
}

export interface PresenceOptions {
  clock: Clock;
  /** This hub, as it stands. */
  present: () => HubPresence;
  /** A hub that comes waits for a word of the leader. */
  onAsked: () => void;
  /** Another hub has said something of itself; one of before this version answers no question. */
  onHeard: (presence: HubPresence, from: { readonly isOld: boolean }) => void;
}

/** Hubs say that they are there this often, in milliseconds. */
export const PRESENCE_EVERY_MS = 2000;

/** A hub not heard of for this long, in milliseconds, is taken to be gone. */
export const ABSENT_AFTER_MS = 3 * PRESENCE_EVERY_MS;

/** Hubs of one cluster that are remembered; more are not counted. */
export const MAX_HUBS = 256;

const TOPIC = "roll_call";

/** Answers go to the one that asked, on a topic of its own. */
const answersTo = (hub: string) => `roll_call_for.${hub}`;

/** Form of the messages: a hub without one is of before, and answers everybody. */
const FORM = 2;

interface Heard {
  readonly presence: HubPresence;
  readonly at: number;
  /** It is of before this version. */
  readonly isOld: boolean;
}

/** Who else is there: hubs tell each other now and then, and a newcomer asks. Nothing is kept. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #heard = new Map<string, Heard>();

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

  /** Whether hubs of before this version are there. */
  get isOldThere(): boolean {
    return [...this.#heard.values()].some(({ isOld }) => isOld);
  }

  /** Tells the others, and listens to them, until the connection is lost. */
  async run(broker: Broker): Promise<void> {
    const { clock, present } = this.#options;
    broker.listen(TOPIC, (text) => this.#hear(text, broker));
    broker.listen(answersTo(present().hub), (text) => this.#hear(text, broker));
    this.ask(broker);
    const ticker = new Ticker(PRESENCE_EVERY_MS, {
      clock,
      signal: broker.lost,
      firstAfterMs: PRESENCE_EVERY_MS,
    });
    for await (const _tick of ticker) this.#say(broker);
  }

  /** Asks who is there; the leader writes a word into the stream besides. */
  ask(broker: Broker): void {
    this.#say(broker, { asks: true });
  }

  /** This hub's role has changed: the others hear of it at once. */
  announce(broker: Broker, also: Pick<HubPresence, "hands_over_to"> = {}): void {
    this.#say(broker, also);
  }

  /** This hub leaves. */
  sayGoodbye(broker: Broker): void {
    this.#say(broker, { leaves: true });
  }

  /** Nobody can be heard any more. */
  clear(): void {
    this.#heard.clear();
  }

  #say(
    broker: Broker,
    also: Partial<HubPresence> & { asks?: true; leaves?: true } = {},
    topic: string = TOPIC,
  ): void {
    broker.say(topic, JSON.stringify({ form: FORM, ...this.#options.present(), ...also }));
  }

  #hear(text: string, broker: Broker): void {
    const message = parse(text);
    if (message === undefined || message.hub === this.#options.present().hub) return;
    const { asks, leaves, form: _, ...presence } = message;
    if (leaves) {
      this.#heard.delete(presence.hub);
      return;
    }
    const isOld = message.form === undefined;
    if (this.#heard.has(presence.hub) || this.#heard.size < MAX_HUBS) {
      this.#heard.set(presence.hub, { presence, at: this.#options.clock.now(), isOld });
    }
    this.#options.onHeard(presence, { isOld });
    if (!asks) return;
    // One of before this form listens to what everybody hears alone.
    this.#say(broker, {}, message.form === undefined ? TOPIC : answersTo(presence.hub));
    this.#options.onAsked();
  }
}

type Message = HubPresence & { form?: number; asks?: boolean; leaves?: boolean };

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
