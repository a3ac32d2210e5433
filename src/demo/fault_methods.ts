import { failure, type Method, type MethodAnswer, RPC_CODE, value } from "./answer.ts";
import { FAULT_MODES, type FaultMode, type Faults, isFaultMode } from "./faults.ts";

/** Methods that switch faults; no fault touches them, so that faults can be switched off again. */
export const FAULT_METHODS = ["SetFault", "GetFault"] as const;

export interface FaultMethodsOptions {
  /** Absent where the backend was started without them. */
  faults?: Faults;
  /** Methods that may be given a fault of their own. */
  faultable: readonly string[];
  /** Reads a duration such as `"10s"` as milliseconds; `undefined` if it is none. */
  parseDuration: (text: string) => number | undefined;
  /** Called when a fault was switched on or off. */
  onChange?: () => void;
}

/** What `SetFault` was asked to do. */
export interface FaultOrder {
  readonly mode: FaultMode | "none";
  readonly method?: string;
  readonly forMs?: number;
}

type ReadOrder =
  | { readonly ok: true; readonly order: FaultOrder }
  | { readonly ok: false; readonly why: string };

const MODES = [...FAULT_MODES, "none"].map((mode) => `"${mode}"`).join(", ");

/** `SetFault {mode, method?, for?}` and `GetFault`: misbehaviour at the switch of a button. */
export function faultMethods(
  options: FaultMethodsOptions,
): Readonly<Record<typeof FAULT_METHODS[number], Method>> {
  return {
    SetFault: (params) => setFault(params, options),
    GetFault: () => getFault(options.faults),
  };
}

/** Reads and checks the params of `SetFault`. */
export function readFaultOrder(
  params: unknown,
  options: Pick<FaultMethodsOptions, "faultable" | "parseDuration">,
): ReadOrder {
  if (typeof params !== "object" || params === null || Array.isArray(params)) {
    return { ok: false, why: `params must be an object such as {"mode": "hang", "for": "10s"}` };
  }
  const { mode: given, method, for: lasting, ...rest } = params as Record<string, unknown>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    return {
      ok: false,
      why: `there is no "${unknown.slice(0, 40)}"; mode, method and for are known`,
    };
  }
  const mode = given === 500 ? "500" : given;
  if (mode !== "none" && !isFaultMode(mode)) {
    return { ok: false, why: `"mode" must be one of ${MODES}` };
  }
  const { faultable, parseDuration } = options;
  if (method !== undefined && !faultable.some((each) => each === method)) {
    return {
      ok: false,
      why: `"method" must be one of ${faultable.join(", ")}, or left out for all`,
    };
  }
  const forMs = typeof lasting === "string" ? parseDuration(lasting) : undefined;
  if (lasting !== undefined && !(forMs !== undefined && forMs > 0)) {
    return { ok: false, why: `"for" must be a duration such as "10s"` };
  }
  return {
    ok: true,
    order: {
      mode,
      ...(method === undefined ? {} : { method: String(method) }),
      ...(forMs === undefined ? {} : { forMs }),
    },
  };
}

function setFault(params: unknown, options: FaultMethodsOptions): MethodAnswer {
  const { faults, onChange } = options;
  if (faults === undefined) return notStartedWithFaults();
  const read = readFaultOrder(params, options);
  if (!read.ok) return failure(RPC_CODE.invalidParams, `Invalid params: ${read.why}`);
  const { mode, ...rest } = read.order;
  try {
    if (mode === "none") faults.clear(rest.method);
    else faults.set(mode, rest);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return failure(RPC_CODE.invalidParams, `Invalid params: ${error.message}`);
  }
  onChange?.();
  return getFault(faults);
}

function getFault(faults: Faults | undefined): MethodAnswer {
  return faults === undefined ? notStartedWithFaults() : value({ faults: faults.list() });
}

function notStartedWithFaults(): MethodAnswer {
  const message = "faults are switched off here; start the backend with --faults";
  return failure(RPC_CODE.serverError, message);
}
