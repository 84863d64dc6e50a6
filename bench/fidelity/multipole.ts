import { attendMultipole } from "../../estimators/methods/rivals/multipole/attend_multipole.ts";
import type { MultipoleOptions } from "../../estimators/methods/rivals/multipole/attend_multipole.ts";
import { runHead } from "./run_head.ts";
import type { Setting } from "../errors/rivals.ts";
import type { Rerun } from "./rerun.ts";

/** Multipole attention with one level: its clusters, keys and rank; a cluster that does not fit ends the choice, as in the public code. */
export function rerunMultipole({ options, variant, size }: Setting): Rerun {
  const clusters = size! * 2 / 3;
  const own: MultipoleOptions = {
    clusters,
    rounds: 10,
    tokens: size! - clusters,
    rankBy: variant === "ranked by mass" ? "mass" : "key",
    stopsAtFirst: true,
    replaced: !options.includes("without replacement"),
  };
  return {
    random: true,
    // Few keys are opened by chance at the smallest size, and errors vary with it.
    seeds: size === 96 ? undefined : 8,
    run: (backend, problem, seed) =>
      runHead(backend, problem, (head) => attendMultipole(backend, head, problem, own, seed)),
  };
}
