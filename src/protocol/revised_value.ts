import type { ByRevision, JsonText } from "./codec.ts";
import { makePatch } from "./delta.ts";

/** How a value can be put to a client that asked for what changed. */
export const VALUE_FORM = {
  /** All of it. */
  whole: 0,
  /** It is the one of the frame before: only its age and standing are news. */
  same: 1,
  /** What leads to it from the one before. */
  patch: 2,
} as const;

export type ValueForm = typeof VALUE_FORM[keyof typeof VALUE_FORM];

/** What leads from one revision of a channel's value to the next; made once, when first wanted. */
export class RevisionPatch {
  /** The revision it leads from. */
  readonly base: number;
  #texts: readonly [before: JsonText, after: JsonText] | undefined;
  #patch: JsonText | undefined;

  constructor(base: number, before: JsonText, after: JsonText) {
    this.base = base;
    this.#texts = [before, after];
  }

  /** A JSON Patch; undefined if there is none worth having. */
  get text(): JsonText | undefined {
    if (this.#texts !== undefined) {
      this.#patch = makePatch(...this.#texts);
      this.#texts = undefined; // they are as large as values are
    }
    return this.#patch;
  }
}

export interface RevisedValueOptions {
  channel: string;
  /** The channel's place among all, where clients keep count of what they had. */
  slot: number;
  revision: number;
  value: JsonText;
  /** What stands behind the value: `"is_stale":…`, with its closing brace. */
  standing: string;
  /** Unix seconds. */
  timestamp: number;
  seq: number | undefined;
  /** Absent: a client that lacks this revision gets the whole value. */
  patch?: RevisionPatch | undefined;
  /** Everybody gets all of it, whatever they had. Default: false. */
  isWhole?: boolean;
}

/**
 * A value's frame as clients with `delta=1` get it. Each of its forms is put together once, for all
 * of them.
 */
export class RevisedValue implements ByRevision {
  readonly slot: number;
  readonly revision: number;
  readonly #options: RevisedValueOptions;
  readonly #texts: string[] = [];

  constructor(options: RevisedValueOptions) {
    this.#options = options;
    this.slot = options.slot;
    this.revision = options.revision;
  }

  /** The shortest form that says all to that client. */
  formFor(had: number): ValueForm {
    const { isWhole = false, patch } = this.#options;
    if (isWhole) return VALUE_FORM.whole;
    if (had === this.revision) return VALUE_FORM.same;
    if (patch === undefined || had !== patch.base || patch.text === undefined) {
      return VALUE_FORM.whole;
    }
    const { length } = this.text(VALUE_FORM.patch);
    return length < this.text(VALUE_FORM.whole).length ? VALUE_FORM.patch : VALUE_FORM.whole;
  }

  text(form: ValueForm): string {
    return this.#texts[form] ??= this.#encode(form);
  }

  withoutSeq(): RevisedValue {
    return new RevisedValue({ ...this.#options, seq: undefined });
  }

  #encode(form: ValueForm): string {
    const { channel, timestamp, seq, revision, standing } = this.#options;
    const number = seq === undefined ? "" : `"seq":${seq},`;
    const head = `{"type":"${channel}","timestamp":${timestamp},${number}"data":{"rev":${revision}`;
    return `${head},${this.#content(form)},${standing}}`;
  }

  #content(form: ValueForm): string {
    const { value, patch } = this.#options;
    switch (form) {
      case VALUE_FORM.whole:
        return `"data":${value}`;
      case VALUE_FORM.same:
        return `"same":true`;
      case VALUE_FORM.patch:
        return `"base":${patch?.base},"patch":${patch?.text}`;
    }
  }
}
