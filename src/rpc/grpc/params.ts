import protobuf from "protobufjs";
import protojson from "protobufjs/ext/protojson";
import { whatThereIs } from "./suggest.ts";

/** Where in the parameters something is wrong, and what. */
export interface ParamsProblem {
  /** Such as `filter.states[2]`; empty for the whole. */
  readonly path: string;
  readonly why: string;
}

/** Parameters are part of a configuration and never deep; further down nothing is looked at. */
const MAX_DEPTH = 50;

/** Everything that keeps `params` from being the JSON form of a message of this type. */
export function paramsProblems(type: protobuf.Type, params: unknown): ParamsProblem[] {
  const problems = unknownNames(type, params, "", 0);
  if (problems.length > 0) return problems;
  try {
    protojson.fromJson(type, params);
    return [];
  } catch (error) {
    return [{ path: "", why: withoutDots(error instanceof Error ? error.message : String(error)) }];
  }
}

/** Fields and enum names that the type does not have, at any depth. */
function unknownNames(
  type: protobuf.Type,
  value: unknown,
  path: string,
  depth: number,
): ParamsProblem[] {
  // Well-known types have JSON forms of their own.
  if (type.fullName.startsWith(".google.protobuf.") || depth > MAX_DEPTH) return [];
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [{ path, why: `must be an object, the JSON form of ${withoutDots(type.fullName)}` }];
  }
  return Object.entries(value).flatMap(([key, each]) => {
    const field = type.fieldsArray.find(({ name, jsonName, protoName }) =>
      [name, jsonName, protoName].includes(key)
    );
    const at = path === "" ? key : `${path}.${key}`;
    if (field === undefined) {
      const names = type.fieldsArray.map(({ jsonName }) => jsonName);
      const why = `${withoutDots(type.fullName)} has no field "${key}"`;
      return [{ path: at, why: `${why}; ${whatThereIs(key, names)}` }];
    }
    return each === null ? [] : fieldProblems(field, each, at, depth + 1);
  });
}

function fieldProblems(
  field: protobuf.Field,
  value: unknown,
  path: string,
  depth: number,
): ParamsProblem[] {
  const one = (each: unknown, at: string) => {
    const { resolvedType } = field;
    if (resolvedType instanceof protobuf.Type) return unknownNames(resolvedType, each, at, depth);
    return resolvedType === null ? [] : enumProblems(resolvedType, each, at);
  };
  if (field instanceof protobuf.MapField) {
    return Object.entries(Object(value)).flatMap(([key, each]) => one(each, `${path}.${key}`));
  }
  if (!field.repeated || !Array.isArray(value)) return one(value, path);
  return value.flatMap((each, index) => one(each, `${path}[${index}]`));
}

function enumProblems(type: protobuf.Enum, value: unknown, path: string): ParamsProblem[] {
  if (typeof value !== "string" || Object.hasOwn(type.values, value)) return [];
  const why = `${withoutDots(type.fullName)} has no value "${value}"`;
  return [{ path, why: `${why}; ${whatThereIs(value, Object.keys(type.values))}` }];
}

/** protobufjs writes full names with a dot in front. */
function withoutDots(text: string): string {
  return text.replace(/(^|\s)\.(?=[A-Za-z_])/g, "$1");
}
