import { SubscriptionSet, typesOf } from "../protocol/channel.ts";

/**
 * Members that are subscribed to the same channels, in the same order; iterable. What these
 * subscriptions cost is paid once for all of them.
 */
export class SubscriptionGroup<Member extends { readonly wantsDelta: boolean }> {
  /** Shared by the members, so it never changes. */
  readonly subscriptions: SubscriptionSet = new SubscriptionSet();
  readonly #members = new Set<Member>();
  #wantingDelta = 0;

  constructor(channels: readonly string[]) {
    for (const channel of channels) this.subscriptions.add(channel);
  }

  get size(): number {
    return this.#members.size;
  }

  /** Whether one of its members wants to hear of values what changed. */
  get wantsDelta(): boolean {
    return this.#wantingDelta > 0;
  }

  /** The types of frames its members want. */
  get types(): Set<string> {
    return new Set(this.subscriptions.channels.flatMap(typesOf));
  }

  /** Adds one that is no member yet. */
  add(member: Member): void {
    this.#members.add(member);
    if (member.wantsDelta) this.#wantingDelta += 1;
  }

  /** False if it was no member. */
  remove(member: Member): boolean {
    if (!this.#members.delete(member)) return false;
    if (member.wantsDelta) this.#wantingDelta -= 1;
    return true;
  }

  [Symbol.iterator](): Iterator<Member> {
    return this.#members.values();
  }
}
