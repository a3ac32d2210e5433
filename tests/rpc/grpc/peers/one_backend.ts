/** What a hub has of one gRPC backend: prints its process' number, then asks without end. */
import { grpcCommand } from "../../../../src/cli/grpc_process.ts";
import { systemClock } from "../../../../src/resilience/clock.ts";
import { TransportProcess } from "../../../../src/rpc/grpc/process/transport_process.ts";
import { ask, backendOf } from "../support.ts";

let process: TransportProcess | undefined;
const backend = backendOf(Deno.args[0] ?? "", {
  openTransport: (endpoint) =>
    process = new TransportProcess(endpoint, { command: grpcCommand(), clock: systemClock }),
});
Deno.stdout.writeSync(new TextEncoder().encode(`${process?.pid}\n`));
for (;;) await ask(backend, "Describe", {}, { deadlineMs: 1000 });
