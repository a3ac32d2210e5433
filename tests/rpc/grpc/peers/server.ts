/** A gRPC server for the tests, in a process of its own: prints its port, then serves. */
import { Buffer } from "node:buffer";
import * as grpc from "@grpc/grpc-js";
import { loadProto } from "../../../../src/rpc/grpc/proto.ts";

const [port = "0", ca, cert, key] = Deno.args;
const root = loadProto(new URL("lab.proto", import.meta.url).pathname);
const seen = { hangs: 0, cancelled: 0, hadDeadline: false, token: "" };
let serving = 1;

type Call = grpc.ServerUnaryCall<Record<string, unknown>, unknown>;
type Handler = (call: Call, answer: grpc.sendUnaryData<object>) => void;

function sample(diskName: string): object {
  return {
    diskName,
    totalBytes: "9007199254740993",
    most: "18446744073709551615",
    digest: new Uint8Array([0, 255, 16]),
    kind: 1,
    takenAt: { seconds: 1764000000, nanos: 250_000_000 },
    took: { seconds: 3, nanos: 500_000_000 },
    limit: { value: 7 },
    note: { value: "" },
    labels: { fields: { a: { numberValue: 1 }, b: { listValue: { values: [{ nullValue: 0 }] } } } },
    anything: { stringValue: "x" },
    kinds: [2, 9],
    sizes: { big: "9007199254740993" },
    explicitZero: 0,
    ratio: Infinity,
  };
}

const lab: Record<string, Handler> = {
  Describe: (call, answer) => {
    seen.token = String(call.metadata.get("authorization")[0] ?? "");
    answer(null, sample(String(call.request["diskName"] ?? "")));
  },
  Fail: ({ request }, answer) =>
    answer({ code: Number(request["code"]), details: String(request["message"]) }),
  Hang: (call) => {
    seen.hangs += 1;
    seen.hadDeadline = Number.isFinite(Number(call.getDeadline()));
    call.on("cancelled", () => seen.cancelled += 1);
    // Asked with a message, it begins its answer and never ends it.
    if (call.request["message"]) call.sendMetadata(new grpc.Metadata());
  },
  Seen: (_call, answer) => answer(null, seen),
  Big: ({ request }, answer) => answer(null, { digest: new Uint8Array(Number(request["bytes"])) }),
};
/**
 * `Watch` by what it is asked: `code` messages as fast as they go, then as the message says: "end",
 * "fail", "stay", or "tick" for one more every 20 ms.
 */
function watch(call: grpc.ServerWritableStream<Record<string, unknown>, object>): void {
  const { code, message } = call.request;
  let at = 0;
  const next = () => call.write({ totalBytes: String(++at), diskName: "sda" });
  const go = (): void => {
    while (at < Number(code ?? 0)) if (!next()) return void call.once("drain", go);
    if (message === "end") call.end();
    if (message === "fail") {
      call.emit("error", { code: grpc.status.DATA_LOSS, details: "gone" });
    }
    if (message === "tick") {
      const timer = setInterval(() => {
        const now = Date.now();
        const takenAt = { seconds: Math.floor(now / 1000), nanos: (now % 1000) * 1_000_000 };
        call.write({ totalBytes: String(++at), diskName: "sda", takenAt });
      }, 20);
      call.on("cancelled", () => clearInterval(timer));
    }
  };
  seen.hangs += 1;
  call.on("cancelled", () => seen.cancelled += 1);
  // A stream that stays silent says at least that it is there.
  call.sendMetadata(new grpc.Metadata());
  go();
}

const health: Record<string, Handler> = {
  // Asking about a service called "down" takes the server out of service, "up" brings it back.
  Check: ({ request }, answer) => {
    if (request["service"] === "down") serving = 2;
    if (request["service"] === "up") serving = 1;
    answer(null, { status: serving });
  },
};

function implement(server: grpc.Server, name: string, handlers: Record<string, Handler>): void {
  const definition: Record<string, grpc.MethodDefinition<object, object>> = {};
  for (const method of root.lookupService(name).methodsArray) {
    const { resolvedRequestType: input, resolvedResponseType: output } = method;
    if (input === null || output === null || !(method.name in handlers)) continue;
    const responseStream = Boolean(method.responseStream);
    definition[method.name] = {
      path: `/${name}/${method.name}`,
      requestStream: false,
      responseStream,
      requestSerialize: (value) => Buffer.from(input.encode(value).finish()),
      requestDeserialize: (bytes) => input.decode(bytes),
      responseSerialize: (value) => Buffer.from(output.encode(value).finish()),
      responseDeserialize: (bytes) => output.decode(bytes),
    };
  }
  server.addService(definition, handlers as unknown as grpc.UntypedServiceImplementation);
}

const server = new grpc.Server();
implement(server, "holdfast.lab.v1.Lab", { ...lab, Watch: watch as unknown as Handler });
implement(server, "grpc.health.v1.Health", health);
const read = (file: string) => Buffer.from(Deno.readFileSync(file));
const credentials = ca && cert && key
  ? grpc.ServerCredentials.createSsl(
    read(ca),
    [{ cert_chain: read(cert), private_key: read(key) }],
    true,
  )
  : grpc.ServerCredentials.createInsecure();
server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) => {
  if (error) throw error;
  Deno.stdout.writeSync(new TextEncoder().encode(`${bound}\n`));
});
