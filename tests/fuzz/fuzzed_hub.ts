import { assertEquals } from "../support/assert.ts";
import { complaintsOf } from "../support/complaints.ts";
import { HubProcess } from "../support/hub_process.ts";
import { WsClient } from "../support/ws_client.ts";

/** Tokens that the fuzzed hub knows; none of them may ever be seen in an answer or in a log. */
export const TOKENS = {
  all: "fuzz-token-of-a-publisher-5d1f",
  few: "fuzz-token-of-a-listener-77a0",
} as const;

export const ORIGIN = "https://ops.example.com";

/** Longest message and body, in bytes: little, so that the limit is met often. */
export const MAX_BYTES = 8192;

/**
 * A hub of its own process under fire, and a client that listens to everything all the while: what
 * it hears is what leaks to others.
 */
export class FuzzedHub implements AsyncDisposable {
  readonly hub: HubProcess;
  readonly witness: WsClient;

  private constructor(hub: HubProcess, witness: WsClient) {
    this.hub = hub;
    this.witness = witness;
  }

  static async start(): Promise<FuzzedHub> {
    const hub = await HubProcess.start({
      sources: [],
      hub: {
        heartbeat_every: "200ms",
        max_message_bytes: MAX_BYTES,
        messages_per_second: 1_000_000,
        high_water_bytes: 1_048_576,
        outbox_messages: 100_000,
      },
      auth: {
        tokens: [
          { name: "all", token: TOKENS.all, publish: true },
          { name: "few", token: TOKENS.few, channels: ["heartbeat", "notification"] },
        ],
      },
      origins: [ORIGIN],
    }, { args: ["--log-level", "debug"] });
    try {
      return new FuzzedHub(hub, await WsClient.connect(hub.ws({ token: TOKENS.all })));
    } catch (error) {
      await hub[Symbol.asyncDispose]();
      throw error;
    }
  }

  get url(): string {
    return this.hub.url;
  }

  ws(query: Readonly<Record<string, string>> = {}): string {
    return this.hub.ws({ token: TOKENS.all, ...query });
  }

  /** Fails unless the hub is well, alone with its witness, and has logged nothing it should not. */
  async checkAfterwards(): Promise<void> {
    await this.witness.waitForBeats(2);
    const response = await fetch(`${this.url}/status`, {
      headers: { authorization: `Bearer ${TOKENS.all}` },
    });
    const { total_clients } = await response.json();
    assertEquals(total_clients, 1, "every fuzzed client has left");
    assertEquals(complaintsOf(this.hub), [], "the hub says nothing but log lines");
    for (const line of this.hub.logs) {
      const text = JSON.stringify(line);
      assertEquals(line.level === "error", false, text);
      for (const token of Object.values(TOKENS)) assertEquals(text.includes(token), false, text);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.witness.close();
    await this.hub[Symbol.asyncDispose]();
  }
}
