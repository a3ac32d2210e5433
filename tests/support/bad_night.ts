import { PageBackend } from "./page_backend.ts";

/**
 * A hub's configuration with 31 sources of three backends, some of them odd, and a bad night for them:
 * one backend goes away, methods of another are refused, one source has failed from the start, and
 * nobody publishes.
 */
export class BadNight implements AsyncDisposable {
  readonly machines: PageBackend = new PageBackend();
  readonly shop: PageBackend = new PageBackend();
  readonly plant: PageBackend = new PageBackend();

  constructor() {
    this.plant.broken.add("GetNever");
    const { values } = this.plant;
    values.set("GetTemperature", 21.5);
    values.set("GetText", "All presses are running; the night shift has taken over from the day.");
    values.set("GetNothing", null);
    values.set("GetEmpty", {});
    values.set("GetFlags", { is_open: true, is_armed: false, mode: "automatic" });
    values.set("GetLong", {
      path:
        "/srv/plant/line-4/archive/2026/11/26/press-7/measurements-with-a-very-long-name.parquet",
      checksum: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    });
    values.set("GetRows", {
      rows: Array.from({ length: 250 }, (_, index) => ({
        name: `press ${index}`,
        used_ratio: (index % 97) / 100,
        last_seen: 1764000000 + index,
        constructor: "an odd column",
      })),
    });
    values.set("GetDeep", { a: { b: { c: { d: { e: [1, [2, [3, { f: "deep" }]]] } } } } });
  }

  /** The configuration of the hub that lives through it. */
  config(): object {
    const backend = ({ url }: PageBackend) => ({
      transport: "json-rpc",
      url,
      timeout: "2s",
      retry: { attempts: 1 },
      breaker: { failures: 2, open_for: "2m" },
      health_check: { method: "GetSystemStatus", every: "500ms", timeout: "2s" },
    });
    const source = (channel: string, name: string, method: string, rest: object = {}) => (
      { channel, backend: name, method, every: "700ms", ...rest }
    );
    const machines = ["mail", "web", "files", "build", "backup", "proxy", "cache", "print"];
    return {
      backends: {
        machines: backend(this.machines),
        shop: backend(this.shop),
        plant: backend(this.plant),
      },
      sources: [
        source("system_status", "machines", "GetSystemStatus", { title: "Gateway" }),
        source("storage_update", "machines", "GetStorage"),
        source("agent_status", "machines", "GetAgents"),
        source("compression_update", "machines", "GetCompressionJobs"),
        ...machines.map((name) =>
          source(`${name}_machine`, "machines", "GetSystemStatus", {
            title: `Machine ${name}`,
            group: "Machines",
          })
        ),
        ...["orders", "payments", "invoices", "returns", "search", "stock", "newsletter"].map(
          (name) => source(`${name}_queue`, "shop", "GetQueue", { group: "Shop" }),
        ),
        source("shop_disks", "shop", "GetStorage", { group: "Shop", order: -1 }),
        source("press_temperature", "plant", "GetTemperature", {
          group: "Plant",
          unit: "°C",
          title: "Press temperature",
        }),
        source("shift_report", "plant", "GetText", { group: "Plant" }),
        source("nothing_at_all", "plant", "GetNothing", { group: "Plant" }),
        source("empty_object", "plant", "GetEmpty", { group: "Plant" }),
        source("plant_flags", "plant", "GetFlags", { group: "Plant" }),
        source("measurements", "plant", "GetLong", { group: "Plant" }),
        source("all_presses", "plant", "GetRows", { group: "Plant" }),
        source("deep_value", "plant", "GetDeep", { group: "Plant" }),
        source("never_answers", "plant", "GetNever", { group: "Plant" }),
        source("plant_agents", "plant", "GetAgents", { group: "Plant" }),
      ],
      channels: {
        backup_report: { stale_after: "26h", title: "Nightly backup", group: "Nightly" },
      },
      hub: { heartbeat_every: "500ms" },
      shutdown: { drain: "100ms", reconnect_within: "4s" },
    };
  }

  /** It begins. */
  async strike(): Promise<void> {
    this.machines.broken.add("GetStorage");
    this.plant.broken.add("GetText");
    await this.shop.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.machines.stop(), this.shop.stop(), this.plant.stop()]);
  }
}
