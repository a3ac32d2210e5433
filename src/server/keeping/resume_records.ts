import type {
  KeptFrame,
  KeptPosition,
  KeptSession,
  ResumeKeeper,
  ResumePast,
} from "../../hub/resume/resume_keeper.ts";
import type { Change } from "../../state/change.ts";
import type { State } from "../../state/state.ts";
import { bodiesOf, change } from "./records.ts";

const POSITION = "hub";

/** Sorts as numbers do. */
const keyOf = (seq: number) => String(seq).padStart(16, "0");

/** Has the hub's positions kept; each call is one change, all or none. */
export function resumeKeeper(write: (changes: Change[]) => void): ResumeKeeper {
  return {
    keep: (position, frame) =>
      write([
        change("position", POSITION, position),
        ...(frame ? [change("frame", keyOf(frame.seq), frame)] : []),
      ]),
    session: (id, session) => write([change("session", id, session)]),
  };
}

/** What the hub goes on from; undefined where a new epoch has to begin. */
export function resumePast({ past }: State): ResumePast | undefined {
  const position = bodiesOf<KeptPosition>(past.kept, "position").get(POSITION);
  if (position === undefined) return undefined;
  return {
    position,
    frames: [...bodiesOf<KeptFrame>(past.kept, "frame").values()],
    sessions: bodiesOf<KeptSession>(past.kept, "session"),
  };
}
