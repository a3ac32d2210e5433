import type { Call } from "../backend.ts";
import { findMethod } from "./method.ts";
import { paramsProblems } from "./params.ts";
import { loadProto, ProtoError } from "./proto.ts";

/** What is wrong with a configured call, for an error that names the place. */
export interface GrpcCallProblem {
  /** Position in the list of calls; absent if the `.proto` file itself is at fault. */
  readonly index?: number;
  readonly at: "proto" | "method" | "params";
  /** Inside `params`, such as `filter.states[2]`; empty for the whole. */
  readonly path: string;
  /** What was found and what there is. */
  readonly why: string;
}

/**
 * Checks calls against the services of a `.proto` file before anything is asked: every problem of
 * every call, in order. Without a file only the standard health service is known.
 */
export function checkGrpcCalls(
  protoFile: string | undefined,
  calls: readonly Call[],
): GrpcCallProblem[] {
  try {
    const root = loadProto(protoFile);
    return calls.flatMap(
      ({ method: name, params = {}, stream = false }, index): GrpcCallProblem[] => {
        const found = findMethod(root, name, stream ? "stream" : "poll");
        if (!found.ok) return [{ index, at: "method", path: "", why: found.why }];
        return paramsProblems(found.method.request, params)
          .map((problem) => ({ index, at: "params", ...problem }));
      },
    );
  } catch (error) {
    if (!(error instanceof ProtoError)) throw error;
    return [{ at: "proto", path: "", why: error.message }];
  }
}
