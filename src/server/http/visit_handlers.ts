import type { Config } from "../../config/schema.ts";
import type { Admission } from "../door/admission.ts";
import type { Sockets } from "../sockets/sockets.ts";
import { upgrade } from "./upgrade.ts";
import type { WebSocketContext } from "../sockets/web_socket_connection.ts";
import type { CommandOptions } from "./command_body.ts";
import { poll, type Poller } from "./poll_route.ts";
import { publish, type Publisher } from "./publish_route.ts";
import type { RouteContext, Visit } from "./routes.ts";
import { openEventStream } from "./sse_route.ts";

export interface ClientHandlersOptions {
  /** What connections of clients share. */
  context: WebSocketContext;
  sockets: Sockets;
}

/** What is done for those who become clients of this thread. */
export function clientHandlers(
  { context, sockets }: ClientHandlersOptions,
): Pick<RouteContext, "openWebSocket" | "openEventStream"> {
  return {
    openWebSocket: ({ request, info, identity }, place) =>
      upgrade(request, { context, info, identity, place }),
    openEventStream: ({ info, identity }, place) => {
      const { hub, visitors, connections, pingEveryMs, lingerMs } = context;
      const { peer } = info;
      const abort = () => sockets.abortIfAlone(peer);
      const use = sockets.table.client(peer);
      return openEventStream({
        hub,
        visitors,
        info,
        identity,
        place: connections.track(bothOf(place, use), () => sockets.abort(peer)),
        takenBytes: () => sockets.takenBytes(peer),
        keepAliveMs: pingEveryMs,
        lingerMs,
        abort,
      });
    },
  };
}

export interface CommandHandlersOptions {
  ingest: Publisher & Poller;
  admission: Pick<Admission, "isDraining">;
  /** The configuration in force. */
  config: () => Pick<Config, "hub">;
}

/** What is done for those who tell the hub to do something. */
export function commandHandlers(
  { ingest, admission, config }: CommandHandlersOptions,
): Pick<RouteContext, "publish" | "poll"> {
  function command({ identity }: Visit): CommandOptions {
    const { max_message_bytes, request_timeout } = config().hub;
    return {
      identity,
      maxBytes: max_message_bytes,
      bodyTimeoutMs: request_timeout,
      isDraining: () => admission.isDraining,
    };
  }

  return {
    publish: (visit) => publish(visit.request, { publisher: ingest, ...command(visit) }),
    poll: (visit) => poll(visit.request, { poller: ingest, ...command(visit) }),
  };
}

/** Two things to be given back at the same time. */
function bothOf(one: Disposable, other: Disposable): Disposable {
  return {
    [Symbol.dispose]() {
      one[Symbol.dispose]();
      other[Symbol.dispose]();
    },
  };
}
