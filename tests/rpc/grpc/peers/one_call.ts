/** Prints what comes of one call to a server that is not there, as a hub makes it. */
import { grpcCommand } from "../../../../src/cli/grpc_process.ts";
import { systemClock } from "../../../../src/resilience/clock.ts";
import { TransportProcess } from "../../../../src/rpc/grpc/process/transport_process.ts";
import { ask, backendOf } from "../support.ts";

await using backend = backendOf("http://127.0.0.1:1", {
  openTransport: (endpoint) =>
    new TransportProcess(endpoint, { command: grpcCommand(), clock: systemClock }),
});
const outcome = await ask(backend, "Describe");
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(outcome)));
