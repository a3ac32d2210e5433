// @ts-types="../std_types/status.d.ts"
import { STATUS_CODE } from "@std/http/status";
import type { Method } from "./answer.ts";
import type { Pages } from "./backend_server.ts";
import { STATUS_METHODS } from "./backend_methods.ts";
import type { CompressionService } from "./compression_service.ts";
import { controlPage } from "./control_page.ts";
import { deadlineSignal } from "./deadline_signal.ts";
import type { Faults } from "./faults.ts";
import { readRequestText } from "./request_text.ts";

export interface PagesOptions {
  service: Pick<CompressionService, "agents" | "jobs" | "directory">;
  faults?: Faults;
  /** The method `SetFault`: the page's buttons do what it does. */
  setFault: Method;
}

/** Largest form, in bytes: three short fields. */
const MAX_FORM_BYTES = 1024;

/** How long a form may take to come, in milliseconds. */
const FORM_DEADLINE_MS = 5000;

/** The backend's own page at `/`, and what its buttons send at `/fault`. */
export function createPages(options: PagesOptions): Pages {
  const { service, faults } = options;
  const show = (message?: string) =>
    controlPage({
      ...(faults === undefined ? {} : { faults: faults.list() }),
      faultable: STATUS_METHODS,
      agents: service.agents().agents,
      jobs: service.jobs(),
      spool: service.directory,
      ...(message === undefined ? {} : { message }),
    });
  return async (request, url) => {
    if (url.pathname === "/") {
      return isGet(request) ? show() : wrongMethod("GET");
    }
    if (url.pathname === "/fault") {
      return request.method === "POST"
        ? show(await pressed(request, options))
        : wrongMethod("POST");
    }
    return undefined;
  };
}

/** Does what a button asks for; what came of it, in words. */
async function pressed(request: Request, { setFault }: PagesOptions): Promise<string> {
  using deadline = deadlineSignal(FORM_DEADLINE_MS);
  const { signal } = deadline;
  const body = await readRequestText(request, { maxBytes: MAX_FORM_BYTES, signal });
  if (body.kind !== "text") return "The form could not be read.";
  // An empty field is one left as it was.
  const fields = [...new URLSearchParams(body.text)].filter(([, value]) => value !== "");
  const params: Record<string, string> = Object.fromEntries(fields);
  const answer = await setFault(params, { signal });
  if (!answer.ok) return answer.message;
  switch (params.mode) {
    case "none":
      return "Switched off.";
    case "refuse":
      return `The port is closed now, this page's too. It opens again in ${params.for ?? "10s"}.`;
    default:
      return "Switched on.";
  }
}

function isGet({ method }: Request): boolean {
  return method === "GET" || method === "HEAD";
}

function wrongMethod(allowed: string): Response {
  return new Response(`${allowed} is possible here\n`, {
    status: STATUS_CODE.MethodNotAllowed,
    headers: { allow: allowed, "content-type": "text/plain; charset=utf-8" },
  });
}
