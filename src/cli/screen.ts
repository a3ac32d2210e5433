/** Where a command draws; tests give it one of their own. */
export interface Screen {
  /** Whether a person looks at it, so that cursor movements and colours make sense. */
  readonly isTerminal: boolean;
  size(): ScreenSize;
  /** Writes text as it is; false once nobody reads any more. */
  write(text: string): boolean;
  /** Calls back when the size has changed, until disposed of. */
  onResize(listener: () => void): Disposable;
}

/** In character cells. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** What is taken for the size where it cannot be told. */
const USUAL_SIZE: ScreenSize = { columns: 80, rows: 24 };

const encoder = new TextEncoder();

/** One of the process' own output streams. */
export function processScreen(stream: typeof Deno.stdout | typeof Deno.stderr): Screen {
  return {
    isTerminal: stream.isTerminal(),
    size: currentSize,
    write: (text) => write(stream, text),
    onResize,
  };
}

function currentSize(): ScreenSize {
  try {
    const { columns, rows } = Deno.consoleSize();
    // A terminal that does not know says 0.
    return columns > 0 && rows > 0 ? { columns, rows } : USUAL_SIZE;
  } catch {
    return USUAL_SIZE;
  }
}

function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): boolean {
  let rest = encoder.encode(text);
  try {
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
    return true;
  } catch {
    return false; // the reader has gone (`holdfast watch … | head`)
  }
}

function onResize(listener: () => void): Disposable {
  if (Deno.build.os === "windows") return { [Symbol.dispose]() {} };
  Deno.addSignalListener("SIGWINCH", listener);
  return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGWINCH", listener) };
}
