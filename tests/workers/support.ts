import { json } from "../../src/protocol/codec.ts";
import type { App } from "../../src/server/app.ts";
import { assert } from "../support/assert.ts";
import { statusOf, wsUrl } from "../support/hub_in_process.ts";
import { WsClient } from "../support/ws_client.ts";

/** Enough for each thread to have some: the kernel deals connections out by chance. */
export const MANY = 24;

/** Clients such that each thread has one at least; `token`: who may ask for `/status`. */
export async function clientsOnAll(
  app: App,
  { query = "", token }: { query?: string; token?: string } = {},
): Promise<WsClient[]> {
  const clients = await Promise.all(
    Array.from({ length: MANY }, () => WsClient.connect(`${wsUrl(app)}${query}`)),
  );
  const { workers } = await statusOf(app, token);
  assert(workers.every((each: { clients: number }) => each.clients > 0), JSON.stringify(workers));
  return clients;
}

export async function closeAll(clients: readonly WsClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client.close()));
}

/** Broadcasts an event; returns its number. */
export function say(app: App, title: unknown, body?: string): number {
  return app.hub.broadcast("notification", json({ title, body }));
}

/** What a client that has gone asks for when it comes back. */
export function resumeQuery({ frames }: WsClient): string {
  const { session, epoch, seq } = frames[0]?.data ?? {};
  const last = frames.findLast((frame) => frame.seq !== undefined)?.seq ?? seq;
  return `session=${session}&epoch=${epoch}&since=${last}`;
}
