import { applyPatch } from "../protocol/apply_patch.ts";
import { isStatusChannel } from "../protocol/channel.ts";
import type { PatchOperation } from "../protocol/delta.ts";
import type { Frame } from "../protocol/message.ts";

/** What a status frame's data may hold instead of a value; all is checked before it is believed. */
interface DeltaData {
  readonly rev?: unknown;
  readonly data?: unknown;
  readonly same?: unknown;
  readonly base?: unknown;
  readonly patch?: unknown;
}

interface Had {
  readonly revision: unknown;
  readonly value: unknown;
}

/**
 * Puts together the values of one connection with `delta=1`. Holds the last one of each channel,
 * which their readers hold as well.
 */
export class DeltaValues {
  readonly #had = new Map<string, Had>();

  /** The frame as it would be without `delta=1`; undefined if it cannot be put together. */
  complete(frame: Frame): Frame | undefined {
    const { type } = frame;
    if (!isStatusChannel(type)) return frame;
    const { rev, same, base, patch, ...told } = frame.data as DeltaData;
    if (rev === undefined) return frame; // no value, or from a hub that does not know of this
    const had = this.#had.get(type);
    let value = told.data;
    if (same === true || patch !== undefined) {
      const isNext = had !== undefined && (same === true || had.revision === base);
      if (!isNext) return undefined;
      try {
        value = same === true ? had.value : applyPatch(had.value, patch as PatchOperation[]);
      } catch {
        return undefined; // not what the hub said it of
      }
    }
    this.#had.set(type, { revision: rev, value });
    return { ...frame, data: { data: value, ...told } } as Frame;
  }
}
