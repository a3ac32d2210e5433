import type { HubProcess } from "./hub_process.ts";

/** A remark of Deno's own about the future of `request.signal`, once a process. */
const DENO_REMARK = /^Deno\.serve: request\.signal /;

/** What a hub wrote to standard error that is neither a log line nor a remark of the runtime. */
export function complaintsOf({ complaints }: HubProcess): string[] {
  return complaints.filter((line) => !DENO_REMARK.test(line));
}
