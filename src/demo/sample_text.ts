/** Words that lines are made of: few enough that a compressor finds much to do. */
const WORDS =
  "accepted archive batch block cache chunk closed commit copied delta disk drained entry error fetch file flushed frame index job joined key lease ledger log merge node offset opened page peer queue read record replica request retry rolled route segment shard snapshot sorted spool stored stream synced table tail ticket token trace update verified volume waited worker written zone"
    .split(" ");

const encoder = new TextEncoder();

/**
 * Text that looks like a log, in pieces, of about `bytes` bytes in all. It compresses well, as
 * real logs do, yet no two pieces are alike.
 */
export function* sampleText(bytes: number): Generator<Uint8Array, void, void> {
  for (let left = bytes; left > 0;) {
    const piece = encoder.encode(lines());
    yield piece;
    left -= piece.byteLength;
  }
}

/** Lines in one piece: some ten kilobytes, made in less than a millisecond or two. */
const LINES = 200;

function lines(): string {
  let text = "";
  for (let line = 0; line < LINES; line++) {
    text += `${new Date().toISOString()} ${word()} ${word()}=${random(1_000_000)} ${word()} ` +
      `${word()} of ${word()} ${random(1000)}\n`;
  }
  return text;
}

function word(): string {
  return WORDS[random(WORDS.length)] ?? "";
}

function random(below: number): number {
  return Math.floor(Math.random() * below);
}
