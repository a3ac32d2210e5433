import type { Change } from "../../state/change.ts";
import type { State } from "../../state/state.ts";
import type { ValueRecord } from "../../values/value.ts";
import type { ValueListener } from "../../values/value_listeners.ts";
import type { ValueStore } from "../../values/value_store.ts";
import { bodiesOf, change } from "./records.ts";

/** What changes of a value that is the same, asked for anew; `revision` says which one it is of. */
type AgeRecord = Pick<ValueRecord, "revision" | "called_at_ms" | "age_ms" | "valid_for_ms">;

/** Has each value kept before its clients see it; its text only where it is another one. */
export function valueListener(
  values: ValueStore,
  write: (changes: Change[]) => void,
): ValueListener {
  const kept = new Map<string, number>();
  return {
    onValue: (channel) => {
      const record = values.record(channel);
      if (record === undefined) return;
      if (kept.get(channel) === record.revision) return write([ageChange(record)]);
      kept.set(channel, record.revision);
      write(valueChanges(record));
    },
    onStanding: ({ channel, standing }) => {
      if (standing !== "retired") return;
      kept.delete(channel);
      write(forgotten(channel));
    },
  };
}

/** All that is kept of a value. */
export function valueChanges(record: ValueRecord): Change[] {
  return [change("value", record.channel, record), ageChange(record)];
}

function ageChange(record: ValueRecord): Change {
  return change("age", record.channel, agePart(record));
}

function agePart({ revision, called_at_ms, age_ms, valid_for_ms }: AgeRecord): AgeRecord {
  return {
    revision,
    called_at_ms,
    age_ms,
    ...(valid_for_ms === undefined ? {} : { valid_for_ms }),
  };
}

function forgotten(channel: string): Change[] {
  return [change("value", channel, undefined), change("age", channel, undefined)];
}

/**
 * Puts back the last values of the channels that there are, and forgets those of others. A long value
 * may have been lost where its age was not: then the one before comes back, as old as that one is.
 */
export function restoreValues(
  values: ValueStore,
  state: State,
  isThere: (channel: string) => boolean,
): void {
  const ages = bodiesOf<AgeRecord>(state.past.kept, "age");
  for (const [channel, record] of bodiesOf<ValueRecord>(state.past.kept, "value")) {
    const { channel: name, text } = record;
    const newest = ages.get(channel);
    const age = newest?.revision === record.revision ? newest : record;
    if (isThere(channel)) values.restore({ channel: name, text, ...agePart(age) });
    else state.write(forgotten(channel));
  }
}
