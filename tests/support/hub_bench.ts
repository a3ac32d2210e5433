import type { ConnectOptions } from "../../src/hub/connects.ts";
import { Hub } from "../../src/hub/hub.ts";
import type { HubOptions } from "../../src/hub/hub_options.ts";
import type { Session } from "../../src/hub/session.ts";
import { encodeJson, type JsonText } from "../../src/protocol/codec.ts";
import type { StatusData } from "../../src/protocol/status_data.ts";
import { assertEquals } from "./assert.ts";
import { FakeClock } from "./fake_clock.ts";
import { FakeTransport } from "./fake_transport.ts";

/** JSON text of any value a test makes up. */
export function text(value: unknown): JsonText {
  const encoded = encodeJson(value);
  if (!encoded.ok) throw new TypeError(encoded.why);
  return encoded.json;
}

/** A client of a hub under test: its connection and its session. */
export interface TestClient {
  readonly transport: FakeTransport;
  readonly session: Session;
}

/** Small bounds, so that a test reaches them soon. */
export const LIMITS: HubOptions["limits"] = {
  outboxMessages: 4,
  highWaterBytes: 1000,
  maxMessageBytes: 1000,
  messagesPerSecond: 0,
  stallTimeoutMs: 15_000,
  maxBufferedBytes: 256 * 1024 * 1024,
};

/** A hub with a clock moved by hand, two status channels, and clients made of nothing. */
export class HubBench implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly hub: Hub;
  /** What there is of each status channel. */
  readonly values = new Map<string, StatusData<JsonText>>();
  readonly statusChannels = ["a", "b"];

  /**
   * @param clock One that moves several hubs at once. Default: a clock of its own.
   * @param values Where they are read from. Default: what a test puts into its own.
   * @param lives What keeps the hub's positions, and what an earlier life left. Default: nothing.
   */
  constructor(
    changes: Partial<HubOptions["limits"]> = {},
    clock: FakeClock = new FakeClock(),
    values?: HubOptions["values"],
    lives: Pick<HubOptions, "keeper" | "past" | "onStreamError"> = {},
  ) {
    this.clock = clock;
    this.hub = new Hub({
      clock: this.clock,
      ...lives,
      limits: { ...LIMITS, ...changes },
      history: { maxFrames: 100, maxAgeMs: 300_000 },
      heartbeatMs: 10_000,
      statusChannels: () => this.statusChannels,
      channelsOfBackend: (backend) => backend === "core" ? this.statusChannels : [],
      values: values ?? { read: (channel) => this.values.get(channel), revision: () => 0 },
    });
  }

  connect(options: ConnectOptions = {}): TestClient {
    const transport = new FakeTransport();
    return { transport, session: this.hub.connect(transport, options) };
  }

  /** A client that takes nothing more: what is sent from now on waits. */
  connectStalled(options: ConnectOptions = {}): TestClient {
    const client = this.connect(options);
    client.transport.sent.length = 0;
    client.transport.isStalled = true;
    client.transport.bufferedBytes = 1_000_000;
    return client;
  }

  /** The client takes everything, and the hub gets to notice. */
  async release({ transport }: TestClient): Promise<void> {
    transport.isStalled = false;
    transport.take();
    await this.clock.advance(60);
  }

  /** Stops the hub and checks that it leaves nothing behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.hub[Symbol.dispose]();
    await this.clock.advance(0);
    assertEquals(this.clock.sleeping, 0, "somebody still sleeps");
  }
}
