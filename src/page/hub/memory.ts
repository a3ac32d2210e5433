import type { IncidentReport } from "../../protocol/incident.ts";
import type { RecalledSeries } from "../charts/history.ts";
import type { ShownUptime } from "../charts/uptime_strip.ts";
import { type AskedHub, askFor } from "./ask_hub.ts";
import { RepeatedLook } from "./repeated_look.ts";

/** A notification as its frame was. */
export interface ToldNotification {
  readonly timestamp: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface HubMemoryOptions extends AskedHub {
  /** Whether it is of use to ask: the hub is there, and somebody looks. */
  wanted: () => boolean;
  onPoints: (points: Readonly<Record<string, RecalledSeries>>) => void;
  onUptimes: (uptimes: Readonly<Record<string, ShownUptime>>) => void;
  onIncidents: (incidents: readonly IncidentReport[]) => void;
  onNotifications: (list: readonly ToldNotification[]) => void;
}

/** Time between two looks, and until one when something happened, in milliseconds. */
const EVERY_MS = 30_000;
const SOON_MS = 700;

/** Incidents asked for: those of the last days, and no more than a list can show. */
const INCIDENTS = "incidents?since=7d&limit=200";

/** Steps of an uptime strip. */
const STEPS = 48;

/**
 * What the hub remembers from before the page was opened: points of charts, how channels stood,
 * incidents and notifications. Asked for when the connection opens, and now and then.
 */
export class HubMemory {
  readonly #options: HubMemoryOptions;
  #chartsFor = "1h";
  #uptimeFor = "1d";
  #incident: string | undefined;
  readonly #looks: RepeatedLook;

  constructor(options: HubMemoryOptions) {
    this.#options = options;
    this.#looks = new RepeatedLook({
      everyMs: EVERY_MS,
      soonMs: SOON_MS,
      wanted: options.wanted,
      look: async () => {
        await Promise.all([this.#incidents(), this.#uptimes()]);
      },
    });
    this.#looks.start();
  }

  /** The connection is open (again): everything may have changed. */
  opened(): void {
    void this.#points();
    void this.#notifications();
    this.soon();
  }

  /** Something has begun or ended: looks soon, once for all that happens meanwhile. */
  soon(): void {
    this.#looks.soon();
  }

  /** Another window of the charts, as a duration. */
  showCharts(duration: string): void {
    this.#chartsFor = duration;
    void this.#points();
  }

  /** Another time of the strips, as a duration. */
  showUptime(duration: string): void {
    this.#uptimeFor = duration;
    void this.#uptimes();
  }

  /** An incident that somebody linked to; it may be older than the others. */
  lookFor(incident: string | undefined): void {
    this.#incident = incident;
    this.soon();
  }

  async #points(): Promise<void> {
    const asked = this.#chartsFor;
    const path = `points?for=${asked}`;
    const points = await askFor<Record<string, RecalledSeries>>(this.#options, path);
    if (points !== undefined && asked === this.#chartsFor) this.#options.onPoints(points);
  }

  async #uptimes(): Promise<void> {
    const asked = this.#uptimeFor;
    const path = `uptime?for=${asked}&steps=${STEPS}`;
    const uptimes = await askFor<Record<string, ShownUptime>>(this.#options, path);
    if (uptimes !== undefined && asked === this.#uptimeFor) this.#options.onUptimes(uptimes);
  }

  async #incidents(): Promise<void> {
    const id = this.#incident;
    const answer = await askFor<{ incidents: IncidentReport[] }>(this.#options, INCIDENTS);
    if (answer === undefined) return;
    const { incidents } = answer;
    if (id !== undefined && !incidents.some((each) => each.id === id)) {
      const path = `incidents?id=${encodeURIComponent(id)}`;
      const one = await askFor<{ incidents: IncidentReport[] }>(this.#options, path);
      incidents.push(...one?.incidents ?? []);
    }
    this.#options.onIncidents(incidents);
  }

  async #notifications(): Promise<void> {
    const answer = await askFor<{ notifications: ToldNotification[] }>(
      this.#options,
      "notifications",
    );
    if (answer !== undefined) this.#options.onNotifications(answer.notifications);
  }
}
