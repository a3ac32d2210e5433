import type { JsonText } from "../protocol/codec.ts";
import type { Moment } from "../resilience/clock.ts";
import { Selection } from "../selection/selection.ts";
import { ChannelOutcomes, type FailureEvents, type OutcomesOptions } from "./channel_outcomes.ts";

/** The source of which outcomes are told. */
export interface OutcomesOf {
  /** The channels it feeds, at least one. */
  readonly channels: readonly SelectedChannel[];
  readonly backend: string;
  readonly method: string;
  /** What is done, as clients are told when it fails: `polling`, before the channel's name. */
  readonly doing: string;
  readonly events: FailureEvents;
}

/** A channel, and what of a source's value it gets. */
export interface SelectedChannel {
  readonly channel: string;
  /** A JMESPath expression. Default: the whole value. */
  readonly select?: string;
}

/** The whole value: what a channel gets that selects nothing. */
const WHOLE = "@";

/**
 * What the outcomes of a source mean for its channels, however its values come: by polls or as a
 * stream. A failure is one of all its channels; a value is told apart by their expressions, and one
 * that gives nothing is a failure of its channel alone.
 */
export class SourceOutcomes {
  readonly #channels: readonly ChannelOutcomes[];
  /** Absent where the one channel gets the whole. */
  readonly #selection: Selection | undefined;

  /** @throws {TypeError} If an expression cannot be read. */
  constructor({ channels, ...source }: OutcomesOf, options: OutcomesOptions) {
    this.#channels = channels.map(({ channel }) =>
      new ChannelOutcomes({ channel, ...source }, options)
    );
    this.#selection = channels.some(({ select }) => select !== undefined)
      ? new Selection(channels.map(({ select = WHOLE }) => select))
      : undefined;
  }

  /** A value; whether every channel kept what it got of it. */
  value(text: JsonText, asked: { calledAt: Moment }): boolean {
    if (this.#selection === undefined) {
      return this.#all((channel) => channel.value(text, asked));
    }
    const selected = this.#selection.from(text);
    return this.#all((channel, index) => {
      const part = selected[index];
      if (part?.ok) return channel.value(part.text, asked);
      channel.failure("rejected", part?.why ?? "nothing was selected");
      return false;
    });
  }

  /** A value that cannot be sent: its channels keep the last good one. */
  unencodable(why: string): void {
    for (const channel of this.#channels) channel.unencodable(why);
  }

  failure(outcome: "unavailable" | "rejected" | "broken", why: string): void {
    for (const channel of this.#channels) channel.failure(outcome, why);
  }

  /** It was this program that broke: for clients that is one more way of giving no value. */
  broken(what: string, error: unknown): void {
    for (const channel of this.#channels) channel.broken(what, error);
  }

  /** Sends the last good values as they stand now, those there are. */
  show(): void {
    for (const channel of this.#channels) channel.show();
  }

  /** Does something for each channel; whether it went well for all of them. */
  #all(work: (channel: ChannelOutcomes, index: number) => boolean): boolean {
    return this.#channels.map(work).every((isWell) => isWell);
  }
}
