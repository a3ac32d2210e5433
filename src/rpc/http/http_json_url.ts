/** The URL of a `GET`, or why there is none. */
export type BuiltUrl =
  | { readonly ok: true; readonly url: URL }
  | { readonly ok: false; readonly why: string };

/**
 * Puts a method and parameters behind a backend's URL. Between the two stands exactly one slash; a
 * query of the base, one of the method and the parameters are joined in this order. A base that
 * ends in an open query (`…?q=`) gets the method as that query's value. The result always has the
 * base's origin. Scalars become plain text, lists and objects JSON text; `undefined` is left out.
 *
 * @example
 * ```ts
 * buildUrl(new URL("http://h/api/"), "/disks?all=1", { min: 5 }); // http://h/api/disks?all=1&min=5
 * ```
 */
export function buildUrl(base: URL, method: string, params: unknown): BuiltUrl {
  if (params !== undefined && params !== null && !isObject(params)) {
    return { ok: false, why: "params of an http-json call are an object of query parameters" };
  }
  const url = new URL(base);
  if (base.search.endsWith("=")) {
    url.search += encodeURIComponent(method);
  } else {
    const [path = "", ...query] = method.split("?");
    if (path !== "") {
      url.pathname = `${base.pathname.replace(/\/+$/, "")}/${path.replace(/^\/+/, "")}`;
    }
    if (query.length > 0) {
      url.search = [base.search.slice(1), query.join("?")].filter((each) => each).join("&");
    }
  }
  for (const [name, value] of Object.entries(params ?? {})) {
    if (value === undefined) continue;
    const text = textOf(value);
    if (text === undefined) {
      return { ok: false, why: `parameter '${name}' has no form in a query` };
    }
    url.searchParams.append(name, text);
  }
  return { ok: true, url };
}

/** A parameter's text; `undefined` where there is none (a function, a cycle). */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
