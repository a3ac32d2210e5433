import * as z from "zod";
import { configSchema } from "./schema.ts";

/** A piece of a JSON Schema. */
type JsonSchema = { [key: string]: unknown };

/** The configuration's JSON Schema (draft 2020-12), for editors and other tools. */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configSchema, {
    target: "draft-2020-12",
    io: "input", // what stands in the file: durations are strings there
  });
  return allowVariables(schema) as JsonSchema;
}

/** A string of the file may hold `${NAME}` and get its true form only when it is read. */
const OR_VARIABLE = "|\\$\\{";

function allowVariables(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(allowVariables);
  if (typeof schema !== "object" || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === "propertyNames") return [key, value]; // keys are taken as they stand
      if (key === "pattern" && typeof value === "string") return [key, `${value}${OR_VARIABLE}`];
      return [key, allowVariables(value)];
    }),
  );
}
