import { EventQueue } from "./event_queue.ts";

/** The inboxes that are being read, by channel. */
export class Subscribers {
  readonly #inboxes = new Map<string, Set<EventQueue<unknown>>>();
  #failure: Error | undefined;
  #isFinished = false;

  /** The channels someone reads. */
  get channels(): string[] {
    return [...this.#inboxes.keys()];
  }

  /** Opens an inbox that gets what is pushed to `channel` until its reader leaves. */
  open<T>(channel: string, bound: number): EventQueue<T> {
    const set = this.#inboxes.get(channel) ?? new Set<EventQueue<unknown>>();
    const inbox = new EventQueue<T>({
      bound,
      onEnd: () => {
        set.delete(inbox as EventQueue<unknown>);
        if (set.size === 0) this.#inboxes.delete(channel);
      },
    });
    this.#inboxes.set(channel, set);
    set.add(inbox as EventQueue<unknown>);
    inbox.fail(this.#failure);
    if (this.#isFinished) inbox.finish();
    return inbox;
  }

  push(channel: string, make: () => unknown): void {
    for (const inbox of this.#inboxes.get(channel) ?? []) inbox.push(make);
  }

  /** Makes all readers fail with this error, from now on; `undefined` ends that. */
  fail(error: Error | undefined): void {
    this.#failure = error;
    for (const inbox of this.#all()) inbox.fail(error);
  }

  /** Ends all readers' iterations, and those of readers still to come. */
  finish(): void {
    this.#isFinished = true;
    for (const inbox of this.#all()) inbox.finish();
  }

  #all(): EventQueue<unknown>[] {
    return [...this.#inboxes.values()].flatMap((set) => [...set]);
  }
}
