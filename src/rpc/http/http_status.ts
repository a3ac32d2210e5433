/** Whether a status announces a value. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Whether a status says "look elsewhere" (and not, as 304 does, something about a cache). */
export function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

/**
 * How long `Retry-After` asks to wait, in milliseconds: seconds, or a date that is compared with
 * the answer's own `Date`, as clocks differ. `undefined` where it asks for nothing.
 *
 * @param nowMs The wall clock, for answers without a date.
 */
export function retryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const value = headers.get("retry-after")?.trim() ?? "";
  const sent = Date.parse(headers.get("date") ?? "");
  const ms = /^\d+$/.test(value)
    ? Number(value) * 1000
    : Date.parse(value) - (Number.isNaN(sent) ? nowMs : sent);
  return ms > 0 && Number.isFinite(ms) ? ms : undefined;
}
