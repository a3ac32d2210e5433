import type { Departure, SharedStream } from "../hub/shared_stream.ts";
import { logOf } from "../telemetry/log.ts";
import type { Engine } from "./engine.ts";

const TOPIC = "departures";

/** Tells the other hubs of a client that left this one, worth knowing should it come to them. */
export function tellDeparture(engine: Engine, departure: Departure): void {
  engine.say(TOPIC, JSON.stringify(departure));
}

/** Learns of clients that left the other hubs. */
export function learnDepartures(engine: Engine, stream: SharedStream): void {
  engine.listen(TOPIC, (text) => {
    try {
      stream.learn(JSON.parse(text));
    } catch (error) {
      logOf("cluster").debug("cluster.departure_not_understood", { why: String(error) });
    }
  });
}
