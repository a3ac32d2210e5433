/**
 * The thread that waits for the disk: it does what it is asked, one question at a time, and answers
 * each. Started by `store_client.ts`.
 */
/// <reference lib="deno.worker" />
import type { Change } from "./change.ts";
import { faultOf } from "./fault.ts";
import { type FolderOptions, type Opened, StoreFolder } from "./store_folder.ts";

/** What the thread can be asked. */
export type StoreQuestion =
  | { readonly ask: "open"; readonly options: FolderOptions; readonly now: number }
  | {
    readonly ask: "apply";
    readonly changes: readonly Change[];
    readonly applied: number;
    readonly now: number;
  }
  | { readonly ask: "replace"; readonly changes: readonly Change[]; readonly now: number }
  | { readonly ask: "prune"; readonly now: number }
  | { readonly ask: "end" };

/** What it answers; `bytes` is what the folder holds. */
export type StoreAnswer =
  | {
    readonly ok: true;
    readonly opened?: Opened;
    readonly tail?: Opened["tail"];
    readonly bytes?: number;
  }
  | { readonly ok: false; readonly fault: string; readonly why: string };

export interface Asked {
  readonly id: number;
  readonly question: StoreQuestion;
}

export interface Answered {
  readonly id: number;
  readonly answer: StoreAnswer;
}

let folder: StoreFolder | undefined;

function answer(question: StoreQuestion): StoreAnswer {
  if (question.ask === "open") {
    folder?.[Symbol.dispose]();
    folder = new StoreFolder(question.options);
    const opened = folder.open(question.now);
    return { ok: true, opened, bytes: folder.bytes() };
  }
  if (folder === undefined) throw new TypeError("Cannot answer as no folder is open");
  switch (question.ask) {
    case "apply":
      folder.apply(question.changes, question.applied, question.now);
      return { ok: true };
    case "replace":
      return { ok: true, tail: folder.replace(question.changes, question.now) };
    case "prune":
      folder.prune(question.now);
      return { ok: true, bytes: folder.bytes() };
    case "end":
      folder.end();
      folder[Symbol.dispose]();
      return { ok: true };
  }
}

self.onmessage = ({ data }: MessageEvent<Asked>) => {
  const { id, question } = data;
  try {
    self.postMessage({ id, answer: answer(question) } satisfies Answered);
  } catch (error) {
    // It is opened anew when it is tried again: what it holds open may be of no use any more.
    folder?.[Symbol.dispose]();
    const { fault, message: why } = faultOf(error);
    self.postMessage({ id, answer: { ok: false, fault, why } } satisfies Answered);
  }
};
