import { Cohort } from "./cohort.ts";
import type { Session } from "./session.ts";

const NOBODY: ReadonlySet<Cohort<Session>> = new Set();

/**
 * The sessions of a hub, by id and by what they want. Most clients want the same, so they are kept
 * in cohorts: a session is in one set, not in one for each of its channels. There are never more
 * cohorts than sessions.
 */
export class Registry {
  readonly #sessions = new Map<string, Session>();
  /** By their channels; none is empty. */
  readonly #cohorts = new Map<string, Cohort<Session>>();
  readonly #byType = new Map<string, Set<Cohort<Session>>>();

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
  wanting(type: string): ReadonlySet<Cohort<Session>> {
    return this.#byType.get(type) ?? NOBODY;
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
    const cohort = this.#cohortOf(channels);
    cohort.add(session);
    session.cohort = cohort;
  }

  #cohortOf(channels: readonly string[]): Cohort<Session> {
    const key = channels.join(",");
    let cohort = this.#cohorts.get(key);
    if (cohort === undefined) {
      cohort = new Cohort(channels);
      this.#cohorts.set(key, cohort);
      for (const type of cohort.types) {
        const cohorts = this.#byType.get(type);
        if (cohorts) cohorts.add(cohort);
        else this.#byType.set(type, new Set([cohort]));
      }
    }
    return cohort;
  }

  #leave(session: Session): void {
    const { cohort } = session;
    if (cohort === undefined || !cohort.remove(session) || cohort.size > 0) return;
    this.#cohorts.delete(cohort.subscriptions.channels.join(","));
    for (const type of cohort.types) {
      const cohorts = this.#byType.get(type);
      cohorts?.delete(cohort);
      if (cohorts?.size === 0) this.#byType.delete(type);
    }
  }
}
