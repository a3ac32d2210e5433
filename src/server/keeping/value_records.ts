import type { Change } from "../../state/change.ts";
import type { State } from "../../state/state.ts";
import type { ValueRecord } from "../../values/value.ts";
import type { ValueListener } from "../../values/value_listeners.ts";
import type { ValueStore } from "../../values/value_store.ts";
import { bodiesOf, change } from "./records.ts";

/** Has each value kept before its clients see it. */
export function valueListener(
  values: ValueStore,
  write: (changes: Change[]) => void,
): ValueListener {
  return {
    onValue: (channel) => write([change("value", channel, values.record(channel))]),
    onStanding: ({ channel, standing }) => {
      if (standing === "retired") write([change("value", channel, undefined)]);
    },
  };
}

/** Puts back the last values of the channels that there are, and forgets those of others. */
export function restoreValues(
  values: ValueStore,
  state: State,
  isThere: (channel: string) => boolean,
): void {
  for (const [channel, record] of bodiesOf<ValueRecord>(state.past.kept, "value")) {
    if (isThere(channel)) values.restore(record);
    else state.write([change("value", channel, undefined)]);
  }
}
