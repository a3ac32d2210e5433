import { dirname, isAbsolute, join, resolve } from "node:path";
import protobuf from "protobufjs";

/** Largest `.proto` file that is read, in bytes; a larger one is refused. */
const MAX_PROTO_BYTES = 4 * 1024 * 1024;

/** Most files that one `.proto` may bring in; more are refused. */
const MAX_PROTO_FILES = 500;

/** The standard health service, which every gRPC backend may be asked without a file of its own. */
const HEALTH_PROTO = `
syntax = "proto3";
package grpc.health.v1;
message HealthCheckRequest { string service = 1; }
message HealthCheckResponse {
  enum ServingStatus { UNKNOWN = 0; SERVING = 1; NOT_SERVING = 2; SERVICE_UNKNOWN = 3; }
  ServingStatus status = 1;
}
service Health { rpc Check (HealthCheckRequest) returns (HealthCheckResponse); }
`;

/** What is wrong with a `.proto` file, as a message for the operator. */
export class ProtoError extends Error {
  override readonly name = "ProtoError";
}

/**
 * Reads a `.proto` file with all it imports; without one, only the health service is known.
 *
 * An import is looked for beside the file that names it, then in each folder above the main file.
 * Google's own well-known types need no file. An import that cannot be found is an error only if
 * one of its types is needed, so that files that are there for their options may be missing.
 *
 * @throws {ProtoError} If a file cannot be read or understood, or a type is nowhere to be found.
 */
export function loadProto(protoFile?: string): protobuf.Root {
  const root = new protobuf.Root();
  const missing: string[] = [];
  if (protoFile !== undefined) readAll(root, protoFile, missing);
  // A backend's own file may hold the health service too.
  if (root.lookup("grpc.health.v1.Health") === null) protobuf.parse(HEALTH_PROTO, root);
  try {
    root.resolveAll();
  } catch (error) {
    const hint = missing.length === 0 ? "" : `; not found: ${missing.join(", ")}`;
    throw new ProtoError(`${protoFile}: ${messageOf(error)}${hint}`);
  }
  return root;
}

function readAll(root: protobuf.Root, main: string, missing: string[]): void {
  const seen = new Set<string>();
  const start = resolve(main);
  const waiting = [{ file: start, text: read(main) }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { file, text } = next;
    if (seen.has(file)) continue;
    seen.add(file);
    if (seen.size > MAX_PROTO_FILES) {
      throw new ProtoError(`${main}: imports more than ${MAX_PROTO_FILES} files`);
    }
    for (const name of parse(root, file === start ? main : file, text)) {
      const wellKnown = protobuf.common.get(name);
      if (wellKnown !== null && wellKnown !== undefined) {
        if (!seen.has(name)) root.addJSON(wellKnown.nested ?? {});
        seen.add(name);
        continue;
      }
      const found = find(name, file, start);
      if (found === undefined) missing.push(name);
      else waiting.push(found);
    }
  }
}

/** Adds a file's types to the root; the imports it names. */
function parse(root: protobuf.Root, file: string, text: string): string[] {
  try {
    const { imports = [], weakImports = [] } = protobuf.parse(text, root);
    return [...imports, ...weakImports];
  } catch (error) {
    throw new ProtoError(`${file}: ${messageOf(error)}`);
  }
}

function find(name: string, importer: string, main: string) {
  if (isAbsolute(name)) return undefined;
  const folders = [dirname(importer)];
  for (let folder = dirname(main);; folder = dirname(folder)) {
    folders.push(folder);
    if (folder === dirname(folder)) break;
  }
  for (const folder of folders) {
    const file = join(folder, name);
    if (isFile(file)) return { file, text: read(file) };
  }
  return undefined;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function read(file: string): string {
  try {
    const { size, isFile } = Deno.statSync(file);
    // To open a pipe would stand still until somebody writes into it, and everything with it.
    if (!isFile) throw new ProtoError(`${file}: it is no regular file`);
    if (size > MAX_PROTO_BYTES) {
      throw new ProtoError(`${file}: ${size} bytes, but at most ${MAX_PROTO_BYTES} are read`);
    }
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof ProtoError) throw error;
    if (error instanceof Deno.errors.NotFound) {
      throw new ProtoError(`${file}: there is no such file`);
    }
    throw new ProtoError(`${file}: cannot be read: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
