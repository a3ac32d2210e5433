import protobuf from "protobufjs";
import { whatThereIs } from "./suggest.ts";

/** A unary method as a call needs it. */
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

/** Finds the unary method `package.Service/Method`; otherwise says what there is. */
export function findMethod(root: protobuf.Root, fullName: string): FoundMethod {
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
  const unary = service.methodsArray.filter((each) => !isStreaming(each));
  const method = Object.hasOwn(service.methods, name) ? service.methods[name] : undefined;
  if (method === undefined) {
    const names = unary.map((each) => each.name);
    return bad(`service "${serviceName}" has no method "${name}"; ${whatThereIs(name, names)}`);
  }
  if (isStreaming(method)) {
    return bad(`"${fullName}" is a streaming method: only unary ones can be polled`);
  }
  const { resolvedRequestType: request, resolvedResponseType: response } = method;
  if (!(request instanceof protobuf.Type) || !(response instanceof protobuf.Type)) {
    return bad(`the types of "${fullName}" are not known`);
  }
  return { ok: true, method: { service: serviceName, name, request, response } };
}

function isStreaming(method: protobuf.Method): boolean {
  return Boolean(method.requestStream) || Boolean(method.responseStream);
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
