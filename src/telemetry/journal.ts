/**
 * Whether standard error goes to systemd's journal: a service of `Type=notify` whose output is the
 * journal's and no terminal. A service manager sets both variables for the service itself;
 * `JOURNAL_STREAM` alone is passed on to whatever is started from there.
 */
export function writesToJournal(env: Readonly<Record<string, string | undefined>>): boolean {
  return env.JOURNAL_STREAM !== undefined && env.NOTIFY_SOCKET !== undefined &&
    !Deno.stderr.isTerminal();
}
