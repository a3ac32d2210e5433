import protobuf from "protobufjs";
import { whatThereIs } from "./suggest.ts";

/** A method as a call needs it. */
export interface GrpcMethod {
  /** `package.Service` */
  readonly service: string;
  readonly name: string;
  readonly request: protobuf.Type;
  readonly response: protobuf.Type;
}

/** The method, or what is wrong with the name that was asked for. */
export type FoundMethod =
  | { readonly ok: true; readonly method: GrpcMethod }
  | { readonly ok: false; readonly why: string };

/** What a method is wanted for: to be polled by unary calls, or to give a stream. */
export type MethodUse = "poll" | "stream";

/** Finds the method `package.Service/Method` for this use; otherwise says what there is. */
export function findMethod(
  root: protobuf.Root,
  fullName: string,
  use: MethodUse = "poll",
): FoundMethod {
  const [serviceName, name, ...rest] = fullName.replace(/^\//, "").split("/");
  if (!serviceName || !name || rest.length > 0) {
    return bad(`"${fullName}" is not of the form "package.Service/Method"`);
  }
  const services = servicesOf(root);
  const service = services.get(serviceName);
  if (service === undefined) {
    return bad(
      `there is no service "${serviceName}"; ${whatThereIs(serviceName, [...services.keys()])}`,
    );
  }
  const method = Object.hasOwn(service.methods, name) ? service.methods[name] : undefined;
  if (method === undefined) {
    const names = service.methodsArray.filter((each) => fits(each, use)).map((each) => each.name);
    return bad(`service "${serviceName}" has no method "${name}"; ${whatThereIs(name, names)}`);
  }
  if (!fits(method, use)) {
    return bad(
      method.requestStream
        ? `"${fullName}" wants a stream of requests, which a source has not`
        : method.responseStream
        ? `"${fullName}" is a streaming method: only unary ones can be polled, others need "stream": true`
        : `"${fullName}" is a unary method: it gives no stream`,
    );
  }
  const { resolvedRequestType: request, resolvedResponseType: response } = method;
  if (!(request instanceof protobuf.Type) || !(response instanceof protobuf.Type)) {
    return bad(`the types of "${fullName}" are not known`);
  }
  return { ok: true, method: { service: serviceName, name, request, response } };
}

function fits(method: protobuf.Method, use: MethodUse): boolean {
  return !method.requestStream && Boolean(method.responseStream) === (use === "stream");
}

function servicesOf(namespace: protobuf.NamespaceBase): Map<string, protobuf.Service> {
  const found = new Map<string, protobuf.Service>();
  for (const each of namespace.nestedArray) {
    if (each instanceof protobuf.Service) found.set(each.fullName.replace(/^\./, ""), each);
    else if (each instanceof protobuf.Namespace) {
      for (const [name, service] of servicesOf(each)) found.set(name, service);
    }
  }
  return found;
}

function bad(why: string): FoundMethod {
  return { ok: false, why };
}
