import type { Problem } from "../../estimators/core/problem.ts";
import {
  attendVerified,
  type VAttentionOptions,
} from "../../estimators/methods/rivals/vattention/attend_verified.ts";
import { openAsPublic } from "../../estimators/methods/rivals/vattention/open_as_public.ts";
import type { Setting } from "../errors/rivals.ts";
import type { Rerun } from "./rerun.ts";
import { runHead } from "./run_head.ts";

/** vAttention with the draws of its public code. */
export function rerunVAttention({ size }: Setting): Rerun {
  const optionsOf = ({ keys }: Problem): VAttentionOptions =>
    size === undefined
      ? {
        sinks: Math.floor(0.001 * keys),
        top: Math.floor(0.02 * keys),
        base: Math.floor(0.01 * (keys - Math.floor(0.001 * keys))),
        ...{ epsilon: 0.1, delta: 0.1, open: openAsPublic },
      }
      : { sinks: 4, top: size / 3, base: size / 6, delta: 0.1, keysPerQuery: size, open: openAsPublic };
  return {
    random: true,
    // Queries draw for themselves: one run is a mean over all of them.
    seeds: 3,
    run: (backend, problem, seed) =>
      runHead(backend, problem, (head) => attendVerified(backend, head, problem, optionsOf(problem), seed)),
  };
}
