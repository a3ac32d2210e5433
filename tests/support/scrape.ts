import type { App } from "../../src/server/app.ts";

/** What a scrape gave: values by series as they are written, such as `a_total{code="x"}`. */
export class Scrape {
  readonly text: string;
  readonly series: ReadonlyMap<string, number>;

  constructor(text: string) {
    this.text = text;
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    this.series = new Map(lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }));
  }

  /** Asks a hub. */
  static async of({ url }: Pick<App, "url">): Promise<Scrape> {
    const response = await fetch(new URL("/metrics", url));
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${response.status}: ${text}`);
    return new Scrape(text);
  }

  /** The value of a series; `undefined` if there is none. */
  get(series: string): number | undefined {
    return this.series.get(series);
  }

  /** The names of all metrics, as their type lines say. */
  get names(): string[] {
    return [...this.text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name);
  }

  /** Every value of a label, each once. */
  labelValues(label: string): string[] {
    const values = [...this.text.matchAll(new RegExp(`[{,]${label}="([^"]*)"`, "g"))];
    return [...new Set(values.map(([, value = ""]) => value))];
  }
}
