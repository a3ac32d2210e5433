import type { Milliseconds } from "./duration.ts";
import { duration, section, wholeNumber } from "./fields.ts";

const MEBIBYTE = 1024 * 1024;

/** The kernel is given twice this as a signed 32-bit number of milliseconds (`TCP_USER_TIMEOUT`). */
const LONGEST_STALL: Milliseconds = 12 * 86_400_000;

export const hubSchema = section({
  heartbeat_every: duration({ min: 10 }).prefault("10s").describe("Time between two heartbeats."),
  ping_every: duration({ min: 0 }).prefault("30s")
    .describe("Time between WebSocket pings to a silent client; 0s is never."),
  max_clients: wholeNumber(1, 1_000_000).default(10_000)
    .describe("Clients at one time; further ones get 503."),
  max_clients_per_ip: wholeNumber(0, 1_000_000).default(0)
    .describe("Clients at one time from one address; further ones get 429. 0 is no limit."),
  request_timeout: duration({ min: 10 }).prefault("10s")
    .describe("A connection that is no client yet, or no more, has this long for its request."),
  // The runtime hands over frames up to 63 MiB and refuses larger ones by itself.
  max_message_bytes: wholeNumber(1, 63 * MEBIBYTE).default(65_536)
    .describe("Largest message a client may send, in bytes."),
  messages_per_second: wholeNumber(1, 1_000_000).default(20)
    .describe("Messages a client may send in a second."),
  outbox_messages: wholeNumber(1, 1_000_000).default(256)
    .describe("Events that may wait for one client; one more and it is a slow client."),
  high_water_bytes: wholeNumber(1, 1024 * MEBIBYTE).default(65_536)
    .describe("Bytes handed to a client's connection but not yet sent, above which frames wait."),
  stall_timeout: duration({ min: 10, max: LONGEST_STALL }).prefault("15s")
    .describe("A client that takes nothing for this long is a slow client."),
  max_buffered_bytes: wholeNumber(1, 1024 * 1024 * MEBIBYTE).default(256 * MEBIBYTE)
    .describe("Bytes handed over and not taken yet, of all clients; above it the slowest go."),
  history_messages: wholeNumber(0, 1_000_000).default(1000)
    .describe("Broadcast frames kept for clients that resume."),
  history_for: duration({ min: 0 }).prefault("5m").describe("How long they are kept."),
}).prefault({}).describe("Limits and paces of the hub.");
