import { SubscriptionSet, typesOf } from "../protocol/channel.ts";

/**
 * Members that are subscribed to the same channels, in the same order; iterable. What these
 * subscriptions cost is paid once for all of them.
 */
export class SubscriptionGroup<Member> {
  /** Shared by the members, so it never changes. */
  readonly subscriptions: SubscriptionSet = new SubscriptionSet();
  readonly #members = new Set<Member>();

  constructor(channels: readonly string[]) {
    for (const channel of channels) this.subscriptions.add(channel);
  }

  get size(): number {
    return this.#members.size;
  }

  /** The types of frames its members want. */
  get types(): Set<string> {
    return new Set(this.subscriptions.channels.flatMap(typesOf));
  }

  add(member: Member): void {
    this.#members.add(member);
  }

  /** False if it was no member. */
  remove(member: Member): boolean {
    return this.#members.delete(member);
  }

  [Symbol.iterator](): Iterator<Member> {
    return this.#members.values();
  }
}
