/** A signal with an end to it; disposing of it lets go of its timer and its parent. */
export interface DeadlineSignal extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * A signal that is aborted after `ms` milliseconds, or with its parent.
 *
 * @example
 * ```ts
 * using deadline = deadlineSignal(5000, { parent: stop });
 * await ask({ signal: deadline.signal });
 * ```
 */
export function deadlineSignal(
  ms: number,
  options: { parent?: AbortSignal } = {},
): DeadlineSignal {
  const { parent } = options;
  const controller = new AbortController();
  const onParent = () => controller.abort(parent?.reason);
  const timer = setTimeout(
    () => controller.abort(new DOMException(`not done within ${ms} ms`, "TimeoutError")),
    ms,
  );
  if (parent?.aborted) onParent();
  parent?.addEventListener("abort", onParent, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      parent?.removeEventListener("abort", onParent);
    },
  };
}
