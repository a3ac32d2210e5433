import { type ClientClock, pause } from "../../client/time.ts";
import type { ErrorEvent, HoldfastClient } from "../../client/mod.ts";
import { isStatusChannel } from "../../protocol/channel.ts";
import type { Screen } from "../screen.ts";
import type { Style } from "../style.ts";
import { compact } from "./compact.ts";
import { drawView, type Happening, type ViewModel } from "./view.ts";
import { connectionLine, errorLine, timeOfDay } from "./words.ts";

export interface LiveViewOptions {
  client: HoldfastClient;
  screen: Screen;
  style: Style;
  clock: ClientClock;
  url: string;
  /** The channels asked for, shown from the start. Default: those the hub offers. */
  channels?: readonly string[];
  /** Nobody reads the screen any more. */
  onUnread: () => void;
}

/** How often the screen is brought up to date, in milliseconds: ages tick, bursts do not flicker. */
const REDRAW_MS = 200;

/** Happenings that are kept; the oldest goes first. More than any screen has rows. */
const MAX_HAPPENINGS = 500;

const ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J"; // another page, no cursor, empty
const LEAVE = "\x1b[?25h\x1b[?1049l";

/**
 * A client's channels on a terminal, drawn anew as they change and age. Disposing of it gives the
 * terminal back as it was, with the last state of things as plain lines. Idempotent.
 */
export class LiveView implements Disposable {
  readonly #options: LiveViewOptions;
  readonly #stop = new AbortController();
  readonly #resizing: Disposable;
  readonly #happenings: Happening[] = [];
  #clients: number | undefined;
  #clusterClients: number | undefined;
  #drawn: readonly string[] = [];

  constructor(options: LiveViewOptions) {
    const { client, screen, onUnread } = options;
    this.#options = options;
    const { signal } = this.#stop;
    client.on("error", (event) => this.#onError(event), { signal });
    client.on("notification", (data) => this.#add(`notification ${compact(data)}`), { signal });
    client.on("gap", () => this.#add("some events were missed", "warning"), { signal });
    client.on("heartbeat", ({ clients_connected, cluster_clients_connected }) => {
      this.#clients = clients_connected;
      this.#clusterClients = cluster_clients_connected;
    }, { signal });
    // The heartbeat is not shown to those who named other channels: the count stays unknown then.
    client.on("state", (state) => {
      if (state.kind === "open" || state.kind === "waiting") this.#add(connectionLine(state));
    }, { signal });
    if (!screen.write(ENTER)) onUnread();
    this.#resizing = screen.onResize(() => {
      this.#drawn = [];
      screen.write("\x1b[2J");
      this.draw();
    });
    void this.#run(signal);
  }

  /** Brings the screen up to date: writes the lines that have changed. */
  draw(): void {
    const { screen, style, onUnread } = this.#options;
    const lines = drawView(this.#model(), screen.size(), style);
    let text = "";
    for (let row = 0; row < Math.max(lines.length, this.#drawn.length); row++) {
      const line = lines[row] ?? "";
      if (line !== this.#drawn[row]) text += `\x1b[${row + 1};1H\x1b[2K${line}`;
    }
    this.#drawn = lines;
    if (text !== "" && !screen.write(text)) onUnread();
  }

  [Symbol.dispose](): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#resizing[Symbol.dispose]();
    const { screen, style } = this.#options;
    screen.write(LEAVE);
    const last = drawView(this.#model(), screen.size(), style);
    screen.write(`${last.join("\n")}\n`);
  }

  async #run(signal: AbortSignal): Promise<void> {
    do this.draw(); while (await pause(this.#options.clock, REDRAW_MS, signal));
  }

  #model(): ViewModel {
    const { client, url, channels } = this.#options;
    const names = new Set([...channels ?? [], ...client.channels].filter(isStatusChannel));
    return {
      url,
      connection: client.state,
      clients: this.#clients,
      clusterClients: this.#clusterClients,
      channels: [...names].map((channel) => client.read(channel)),
      happenings: this.#happenings,
    };
  }

  #onError(event: ErrorEvent): void {
    const { severity } = event;
    const tone = ["critical", "error", "warning"].includes(severity) ? severity : "plain";
    this.#add(errorLine(event), tone);
  }

  #add(text: string, tone: Happening["tone"] = "plain"): void {
    const time = timeOfDay(this.#options.clock.unixSeconds());
    this.#happenings.push({ time, text, tone });
    if (this.#happenings.length > MAX_HAPPENINGS) this.#happenings.shift();
  }
}
