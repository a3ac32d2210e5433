import type { Peer } from "./peer.ts";
import { bun } from "./peers/bun.ts";
import { control } from "./peers/control.ts";
import { floor } from "./peers/floor.ts";
import { holdfast } from "./peers/holdfast.ts";
import { nats } from "./peers/nats.ts";
import { nchan } from "./peers/nchan.ts";
import { pushpin } from "./peers/pushpin.ts";
import { socketIo } from "./peers/socket_io.ts";
import { ws } from "./peers/ws.ts";

/** The name under which clients with `batch=1` are measured: the same hub, other clients. */
export const BATCHED = "holdfast_batch";

/** What people also use and this comparison says nothing of; why. */
export const NOT_MEASURED: readonly { readonly name: string; readonly why: string }[] = [
  { name: "Centrifugo", why: "Debian has no package of it, nor has npm" },
  { name: "Mercure", why: "Debian has no package of it, nor has npm" },
];

/** All that are compared, in the order in which they take their turns and are told. */
export const PEERS: readonly Peer[] = [
  holdfast({ name: "holdfast", label: "Holdfast", batch: false }),
  holdfast({ name: BATCHED, label: "Holdfast, batch=1", batch: true }),
  control,
  ws,
  socketIo,
  bun,
  nchan,
  nats,
  pushpin,
  floor,
];
