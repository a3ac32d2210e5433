import { type Browser, connect, type ConnectionTransport, type Page } from "puppeteer-core";
import { within } from "./until.ts";

export type { Page, Target } from "puppeteer-core";

/** Where Debian puts it; the environment may name another one. */
const PROGRAM = Deno.env.get("CHROMIUM") || "/usr/bin/chromium";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  "--mute-audio",
  "--hide-scrollbars",
  "--remote-debugging-port=0",
];

/** Whether tests with a browser can run: they must where CI is set. */
export function hasChromium(): boolean {
  if (Deno.env.get("CI")) return true;
  try {
    Deno.statSync(PROGRAM);
    return true;
  } catch {
    return false;
  }
}

/** Chromium without a window and with a profile of its own, both gone when disposed of. */
export class Chromium implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #profile: string;
  readonly #browser: Browser;
  readonly #reading: Promise<void>;

  private constructor(
    child: Deno.ChildProcess,
    profile: string,
    browser: Browser,
    reading: Promise<void>,
  ) {
    this.#child = child;
    this.#profile = profile;
    this.#browser = browser;
    this.#reading = reading;
  }

  static async start(): Promise<Chromium> {
    const profile = await Deno.makeTempDir({ prefix: "holdfast-chromium-" });
    const child = new Deno.Command(PROGRAM, {
      args: [...FLAGS, `--user-data-dir=${profile}`, "about:blank"],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const { promise: address, resolve } = Promise.withResolvers<string>();
    const reading = readLines(child.stderr, (line) => {
      const [, url] = /DevTools listening on (ws:\S+)/.exec(line) ?? [];
      if (url !== undefined) resolve(url);
    });
    try {
      const url = await within(address, { explain: () => "Chromium did not start" });
      const transport = await openTransport(url);
      const browser = await connect({ transport, defaultViewport: null });
      return new Chromium(child, profile, browser, reading);
    } catch (error) {
      child.kill("SIGKILL");
      await Promise.all([child.status, reading]);
      await Deno.remove(profile, { recursive: true });
      throw error;
    }
  }

  /** A page at this address, with storage of its own. */
  async open(url = "about:blank"): Promise<Page> {
    const context = await this.#browser.createBrowserContext();
    const page = await context.newPage();
    await page.goto(url);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.#child.status;
    try {
      await within(this.#browser.close(), { explain: () => "Chromium did not close" });
    } catch {
      // It is ended all the same.
    }
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await Promise.all([ended, this.#reading]);
    await removeTree(this.#profile);
  }
}

/** The line to Chromium over the runtime's own WebSocket, whose end the leak checks can see. */
async function openTransport(url: string): Promise<ConnectionTransport> {
  const socket = new WebSocket(url);
  const transport: ConnectionTransport = {
    send: (message) => socket.send(message),
    close: () => socket.close(),
  };
  socket.onmessage = ({ data }) => transport.onmessage?.(data);
  socket.onclose = () => transport.onclose?.();
  const { promise: opened, resolve, reject } = Promise.withResolvers<void>();
  socket.onopen = () => resolve();
  socket.onerror = () => reject(new Error("Chromium does not let itself be driven"));
  await opened;
  return transport;
}

async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  }
}

/** Removes a profile, into which Chromium's last helpers may write for a moment longer. */
async function removeTree(path: string): Promise<void> {
  for (let left = 20; left > 0; left--) {
    try {
      return await Deno.remove(path, { recursive: true });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
