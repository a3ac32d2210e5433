/**
 * Connect moves messages of its own kind; ours are bytes that protobufjs wrote. Every method is
 * shown to it as one from an empty message to an empty message: protobuf keeps fields it does not
 * know just as they came, so the bytes pass through whole.
 */
import {
  create,
  createFileRegistry,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import {
  type Empty,
  EmptySchema,
  file_google_protobuf_empty,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";

type Wire = typeof EmptySchema;

/** A method whose messages are bytes in disguise. */
interface WireMethods {
  unary: DescMethodUnary<Wire, Wire>;
  server_streaming: DescMethodServerStreaming<Wire, Wire>;
}

const EMPTY = ".google.protobuf.Empty";

/** @param service `package.Service` */
export function wireMethod<K extends keyof WireMethods>(
  service: string,
  name: string,
  kind: K,
): WireMethods[K] {
  const dot = service.lastIndexOf(".");
  const file = create(FileDescriptorProtoSchema, {
    name: "wire.proto",
    package: service.slice(0, Math.max(0, dot)),
    syntax: "proto3",
    dependency: [file_google_protobuf_empty.proto.name],
    service: [{
      name: service.slice(dot + 1),
      method: [{
        name,
        inputType: EMPTY,
        outputType: EMPTY,
        serverStreaming: kind === "server_streaming",
      }],
    }],
  });
  const [method] = createFileRegistry(file, () => file_google_protobuf_empty)
    .getService(service)?.methods ?? [];
  if (method === undefined) throw new TypeError(`no descriptor for ${service}/${name}`);
  return method as WireMethods[K];
}

/** The bytes of a message, as Connect takes them. */
export function toWire(bytes: Uint8Array): Empty {
  return fromBinary(EmptySchema, bytes);
}

/** The bytes of what Connect gives. */
export function fromWire(message: Empty): Uint8Array {
  return toBinary(EmptySchema, message);
}
