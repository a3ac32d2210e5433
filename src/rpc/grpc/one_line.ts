/** Longest text of somebody else that goes into a reason, in characters. */
const MAX_MESSAGE = 200;

/** A server's text as one short line. Apart from `outcome.ts`, which loads the gRPC library. */
export function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex -- they are what is to be taken out
  const line = text.replace(/[\u0000-\u001f\u007f]+/g, " ").trim();
  return line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}…` : line;
}
