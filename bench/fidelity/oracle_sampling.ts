import { attendSampled } from "../../estimators/methods/rivals/oracle_sampling/attend_sampled.ts";
import type { Setting } from "../errors/rivals.ts";
import type { Rerun } from "./rerun.ts";
import { runHead } from "./run_head.ts";

/** The oracle of sampling, by its own weights or the exact denominator. */
export function rerunOracleSampling({ size, variant }: Setting): Rerun {
  const options = { most: size!, exactDenominator: variant === "exact denominator" };
  return {
    random: true,
    // Queries draw for themselves: one run is a mean over all of them.
    seeds: 3,
    run: (backend, problem, seed) =>
      runHead(backend, problem, (head) => attendSampled(backend, head, problem, options, seed)),
  };
}
