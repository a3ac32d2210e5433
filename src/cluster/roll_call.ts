import type { Clock } from "../resilience/clock.ts";
import { Ticker } from "../resilience/ticker.ts";
import type { Engine } from "./engine.ts";

/** What a hub is to its cluster. */
export type Role = "leader" | "follower" | "alone";

/** What a hub says of itself. */
export interface Presence {
  readonly hub: string;
  readonly role: Role;
  readonly clients: number;
  /** What the leader's `/status` says of the backends, for the others to show. */
  readonly backends?: Readonly<Record<string, unknown>>;
}

export interface RollCallOptions {
  clock: Clock;
  /** This hub, as it stands. */
  present: () => Presence;
}

/** Hubs say that they are there this often, in milliseconds. */
export const ROLL_CALL_EVERY_MS = 2000;

/** A hub not heard of for this long, in milliseconds, is taken to be gone. */
export const ABSENT_AFTER_MS = 3 * ROLL_CALL_EVERY_MS;

/** Hubs of one cluster that are remembered; more are not counted. */
export const MAX_HUBS = 256;

const TOPIC = "roll_call";

/** Who else is there: hubs tell each other now and then, and a newcomer asks. Nothing is kept. */
export class RollCall {
  readonly #options: RollCallOptions;
  readonly #heard = new Map<string, { readonly presence: Presence; readonly at: number }>();

  constructor(options: RollCallOptions) {
    this.#options = options;
  }

  /** Every hub that is there, this one first. */
  hubs(): Presence[] {
    const { clock, present } = this.#options;
    const self = present();
    for (const [hub, { at }] of this.#heard) {
      if (clock.now() - at > ABSENT_AFTER_MS) this.#heard.delete(hub);
    }
    const others = [...this.#heard.values()].map(({ presence }) => presence);
    return [self, ...others.filter(({ hub }) => hub !== self.hub)];
  }

  /** Tells the others, and listens to them, until the connection is lost. */
  async run(engine: Engine): Promise<void> {
    const { clock } = this.#options;
    engine.listen(TOPIC, (text) => this.#hear(text, engine));
    this.#say(engine, { asks: true });
    const ticker = new Ticker(ROLL_CALL_EVERY_MS, {
      clock,
      signal: engine.lost,
      firstAfterMs: ROLL_CALL_EVERY_MS,
    });
    for await (const _tick of ticker) this.#say(engine);
  }

  /** This hub's role has changed: the others hear of it at once. */
  announce(engine: Engine): void {
    this.#say(engine);
  }

  /** This hub leaves. */
  sayGoodbye(engine: Engine): void {
    this.#say(engine, { leaves: true });
  }

  /** Nobody can be heard any more. */
  clear(): void {
    this.#heard.clear();
  }

  #say(engine: Engine, also: { asks?: true; leaves?: true } = {}): void {
    engine.say(TOPIC, JSON.stringify({ ...this.#options.present(), ...also }));
  }

  #hear(text: string, engine: Engine): void {
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
    if (asks) this.#say(engine);
  }
}

type Message = Presence & { asks?: boolean; leaves?: boolean };

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
