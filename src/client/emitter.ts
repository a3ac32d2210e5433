export type Listener<Event> = (event: Event) => void;

export interface ListenOptions {
  /** Stops listening once aborted. */
  signal?: AbortSignal;
}

interface Registration {
  readonly listener: Listener<never>;
}

/** Typed events. `Events` maps each event's name to what its listeners are given. */
export class Emitter<Events> {
  readonly #registrations = new Map<keyof Events, Set<Registration>>();

  /** Calls `listener` at every event `type` until the returned function is called. */
  on<Type extends keyof Events>(
    type: Type,
    listener: Listener<Events[Type]>,
    options: ListenOptions = {},
  ): () => void {
    const { signal } = options;
    const registration: Registration = { listener };
    const set = this.#registrations.get(type) ?? new Set();
    this.#registrations.set(type, set);
    const off = () => {
      set.delete(registration);
      signal?.removeEventListener("abort", off);
    };
    if (signal?.aborted) return off;
    set.add(registration);
    signal?.addEventListener("abort", off, { once: true });
    return off;
  }

  /** Whether anyone listens, so that nothing need be made for nobody. */
  has(type: keyof Events): boolean {
    return (this.#registrations.get(type)?.size ?? 0) > 0;
  }

  /** Calls the listeners of `type`, in the order they came. */
  emit<Type extends keyof Events>(type: Type, event: Events[Type]): void {
    for (const { listener } of [...this.#registrations.get(type) ?? []]) {
      try {
        (listener as Listener<Events[Type]>)(event);
      } catch (error) {
        // A listener's fault must not end the connection, nor be swallowed: it becomes an
        // uncaught error of its own, as it would with an EventTarget.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
