import { configJsonSchema } from "../../src/config/json_schema.ts";
import { markdownTable } from "./refresh.ts";

/** A piece of a JSON Schema, as far as tables are made of it. */
interface Schema {
  readonly type?: string;
  readonly const?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly additionalProperties?: Schema | boolean;
}

interface Row {
  readonly path: string;
  readonly isRequired: boolean;
  readonly schema: Schema;
}

/** The tables of docs/configuration.md, made from the schema that configurations are checked by. */
export function settingsTables(): Readonly<Record<string, string>> {
  const { properties: { backends, sources, ...rest } = {} } = configJsonSchema() as Schema;
  return {
    backends: backendsTable(variantsOf(backends?.additionalProperties)),
    sources: tableOf(rowsOf(sources?.items ?? {}, "")),
    settings: tableOf(rowsOf({ properties: rest }, "")),
  };
}

/** What backends can have; of what only some transports have it is said which. */
function backendsTable(variants: readonly Schema[]): string {
  const found = new Map<string, { row: Row; transports: string[]; texts: string[] }>();
  for (const variant of variants) {
    const transport = variant.properties?.["transport"]?.const ?? "";
    for (const row of rowsOf(variant, "").filter(({ path }) => path !== "transport")) {
      const entry = found.get(row.path) ?? { row, transports: [], texts: [] };
      entry.transports.push(transport);
      entry.texts.push(row.schema.description ?? "");
      found.set(row.path, entry);
    }
  }
  return markdownTable(
    ["setting", "of", "default", "what it is"],
    [...found.values()].map(({ row, transports, texts }) => {
      const of = transports.length === variants.length ? "all" : transports.join(", ");
      const isOneText = new Set(texts).size === 1;
      const description = isOneText
        ? texts[0] ?? ""
        : transports.map((each, index) => `${each}: ${texts[index]}`).join(" ");
      const [setting = "", ...others] = cellsOf({ ...row, schema: { ...row.schema, description } });
      return [setting, of, ...others];
    }),
  );
}

function tableOf(rows: readonly Row[]): string {
  return markdownTable(["setting", "default", "what it is"], rows.map(cellsOf));
}

function cellsOf({ path, isRequired, schema }: Row): string[] {
  const text = (schema.description ?? "").replace(/[|*]/g, "\\$&");
  return [`\`${path}\``, isRequired ? "required" : defaultOf(schema), text];
}

function defaultOf({ default: value, properties }: Schema): string {
  const isShown = value !== undefined && properties === undefined;
  return isShown ? `\`${JSON.stringify(value).replaceAll("|", "\\|")}\`` : "";
}

/** A row for each setting, before those that are inside it. */
function rowsOf({ properties = {}, required = [] }: Schema, prefix: string): Row[] {
  return Object.entries(properties).flatMap(([key, schema]): Row[] => {
    const path = `${prefix}${key}`;
    const isRequired = required.includes(key) && schema.default === undefined;
    return [{ path, isRequired, schema }, ...insideOf(schema, path)];
  });
}

function insideOf(schema: Schema, path: string): Row[] {
  if (schema.properties) return rowsOf(schema, `${path}.`);
  const { items, additionalProperties } = schema;
  const listed = [items, ...variantsOf(schema).map((each) => each.items ?? each)]
    .find((each) => each?.properties);
  if (listed) return rowsOf(listed, `${path}[].`);
  return typeof additionalProperties === "object" && additionalProperties.properties
    ? rowsOf(additionalProperties, `${path}.NAME.`)
    : [];
}

function variantsOf(schema: Schema | boolean | undefined): readonly Schema[] {
  return typeof schema === "object" ? schema.oneOf ?? schema.anyOf ?? [] : [];
}
