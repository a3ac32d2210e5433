/** What the gRPC tests share: a server in another process, and backends that ask it. */
import {
  createGrpcBackend,
  type GrpcBackend,
  type GrpcOptions,
} from "../../../src/rpc/grpc/grpc_backend.ts";

import { ConnectTransport } from "../../../src/rpc/grpc/connect_transport.ts";
import { DEVELOPMENT_LOCK_FLAG } from "../../support/command_line.ts";

export const LAB_PROTO = new URL("peers/lab.proto", import.meta.url).pathname;

export interface Peer extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  kill(signal: Deno.Signal): void;
  readonly ended: Promise<unknown>;
}

/**
 * The Deno that runs the server: grpc-js cannot serve on 2.4, so to test there another one is named.
 */
const PEER_DENO = Deno.env.get("HOLDFAST_TEST_PEER_DENO") ?? Deno.execPath();

/** Starts the server and waits for its port; TLS with `files` (authority, certificate, key). */
export function startServer(port = 0, files: readonly string[] = []): Promise<Peer> {
  const script = new URL("peers/server.ts", import.meta.url).pathname;
  return startPeer(PEER_DENO, ["run", DEVELOPMENT_LOCK_FLAG, "-A", script, String(port), ...files]);
}

/** Runs a program whose first line is the port it serves on; killed at the end. */
export async function startPeer(program: string, args: readonly string[]): Promise<Peer> {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${program} ended before it told its port`);
    text += value;
  }
  const port = Number(text);
  return {
    pid: child.pid,
    port,
    url: `http://127.0.0.1:${port}`,
    kill: (signal) => child.kill(signal),
    ended: child.status,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch { /* it has ended */ }
      await child.status;
      await child.stdin.close().catch(() => {});
      await reader.cancel();
    },
  };
}

export function backendOf(url: string, options: Partial<GrpcOptions> = {}): GrpcBackend {
  return createGrpcBackend({
    url,
    protoFile: LAB_PROTO,
    maxResponseBytes: 100_000,
    openTransport: (endpoint) => new ConnectTransport(endpoint),
    ...options,
  });
}

/** Asks `Lab/<method>` with no deadline but the test's patience. */
export function ask(
  backend: GrpcBackend,
  method: string,
  params: unknown = {},
  options: { signal?: AbortSignal; deadlineMs?: number } = {},
) {
  const { signal = new AbortController().signal, ...rest } = options;
  const name = method.includes("/") ? method : `holdfast.lab.v1.Lab/${method}`;
  return backend.call({ method: name, params }, { signal, ...rest });
}

/** What the server counted. */
export async function seenBy(backend: GrpcBackend): Promise<Record<string, unknown>> {
  const outcome = await ask(backend, "Seen");
  if (outcome.kind !== "ok") throw new Error(outcome.reason);
  return JSON.parse(outcome.value) as Record<string, unknown>;
}

/** Asks again until the answer holds; the test's own time limit ends it. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!await holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}
