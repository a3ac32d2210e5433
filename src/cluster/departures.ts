import type { Departure, SharedStream } from "../hub/resume/shared_stream.ts";
import { logOf } from "../telemetry/log.ts";
import type { Broker } from "./broker.ts";

const TOPIC = "departures";

/** Tells the other hubs of a client that left this one, worth knowing should it come to them. */
export function tellDeparture(broker: Broker, departure: Departure): void {
  broker.say(TOPIC, JSON.stringify(departure));
}

/** Learns of clients that left the other hubs. */
export function learnDepartures(broker: Broker, stream: SharedStream): void {
  broker.listen(TOPIC, (text) => {
    try {
      stream.learn(JSON.parse(text));
    } catch (error) {
      logOf("cluster").debug("cluster.departure_not_understood", { why: String(error) });
    }
  });
}
