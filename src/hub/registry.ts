import { SubscriptionGroup } from "./subscription_group.ts";
import type { Session } from "./session.ts";

const NOBODY: ReadonlySet<SubscriptionGroup<Session>> = new Set();

/**
 * The sessions of a hub, by id and by what they want. Most clients want the same, so they are kept
 * in cohorts: a session is in one set, not in one for each of its channels. There are never more
 * cohorts than sessions.
 */
export class Registry {
  readonly #sessions = new Map<string, Session>();
  /** By their channels; none is empty. */
  readonly #groups = new Map<string, SubscriptionGroup<Session>>();
  readonly #byType = new Map<string, Set<SubscriptionGroup<Session>>>();

  get size(): number {
    return this.#sessions.size;
  }

  get(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  all(): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /** The sessions that want frames of this type; empty only if there are none. */
  wanting(type: string): ReadonlySet<SubscriptionGroup<Session>> {
    return this.#byType.get(type) ?? NOBODY;
  }

  /** Whether one of those wants to hear of values what changed. */
  wantsDelta(type: string): boolean {
    for (const group of this.wanting(type)) if (group.wantsDelta) return true;
    return false;
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session);
  }

  /** Forgets a session, which keeps its subscriptions; false if it was not known. */
  remove(session: Session): boolean {
    if (this.#sessions.get(session.id) !== session) return false;
    this.#sessions.delete(session.id);
    this.#leave(session);
    return true;
  }

  /** Subscribes a session to these channels, beside those it has. */
  subscribe(session: Session, channels: readonly string[]): void {
    this.#move(session, [...new Set([...session.subscriptions.channels, ...channels])]);
  }

  /** Ends what a session is subscribed to of these channels. */
  unsubscribe(session: Session, channels: readonly string[]): void {
    const left = session.subscriptions.channels.filter((channel) => !channels.includes(channel));
    this.#move(session, left);
  }

  #move(session: Session, channels: readonly string[]): void {
    this.#leave(session);
    const group = this.#cohortOf(channels);
    group.add(session);
    session.group = group;
  }

  #cohortOf(channels: readonly string[]): SubscriptionGroup<Session> {
    const key = channels.join(",");
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = new SubscriptionGroup(channels);
      this.#groups.set(key, group);
      for (const type of group.types) {
        const groups = this.#byType.get(type);
        if (groups) groups.add(group);
        else this.#byType.set(type, new Set([group]));
      }
    }
    return group;
  }

  #leave(session: Session): void {
    const { group } = session;
    if (group === undefined || !group.remove(session) || group.size > 0) return;
    this.#groups.delete(group.subscriptions.channels.join(","));
    for (const type of group.types) {
      const groups = this.#byType.get(type);
      groups?.delete(group);
      if (groups?.size === 0) this.#byType.delete(type);
    }
  }
}
