import { typesOf } from "../protocol/channel.ts";
import type { Session } from "./session.ts";

const NOBODY: ReadonlySet<Session> = new Set();

/** The sessions of a hub, by id and by the frame types they want. */
export class Registry {
  readonly #sessions = new Map<string, Session>();
  readonly #byType = new Map<string, Set<Session>>();

  get size(): number {
    return this.#sessions.size;
  }

  get(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  all(): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /** The sessions that want frames of this type. */
  wanting(type: string): ReadonlySet<Session> {
    return this.#byType.get(type) ?? NOBODY;
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session);
  }

  /** Forgets a session; false if it was not known. */
  remove(session: Session): boolean {
    if (this.#sessions.get(session.id) !== session) return false;
    this.#sessions.delete(session.id);
    for (const channel of session.subscriptions.channels) this.unsubscribe(session, channel);
    return true;
  }

  /** Subscribes a session to a channel; false if it was before. */
  subscribe(session: Session, channel: string): boolean {
    if (!session.subscriptions.add(channel)) return false;
    for (const type of typesOf(channel)) {
      const sessions = this.#byType.get(type);
      if (sessions) sessions.add(session);
      else this.#byType.set(type, new Set([session]));
    }
    return true;
  }

  unsubscribe(session: Session, channel: string): void {
    if (!session.subscriptions.remove(channel)) return;
    for (const type of typesOf(channel)) {
      if (session.subscriptions.wants(type)) continue; // asked for by another name too
      const sessions = this.#byType.get(type);
      sessions?.delete(session);
      if (sessions?.size === 0) this.#byType.delete(type);
    }
  }
}
