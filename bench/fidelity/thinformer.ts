import { publishedThinning, stridedKeys } from "../../estimators/methods/rivals/thinformer/plan_thinning.ts";
import { attendThinned } from "../../estimators/methods/rivals/thinformer/thinformer.ts";
import type { Setting } from "../errors/rivals.ts";
import type { FindRerun, Rerun } from "./rerun.ts";

/** Thinformer with the paper's g, on the keys that the authors' code looks at. */
export const rerunThinformer: FindRerun = ({ variant = "" }: Setting): Rerun | undefined => {
  const [, g] = /^g=(\d+)$/.exec(variant) ?? [];
  if (g === undefined) return undefined;
  return {
    random: true,
    run: async (backend, problem, seed) => {
      const thinning = publishedThinning(stridedKeys(problem.keys).length, Number(g));
      const budget = { bucketSize: 1, samples: 0, seed };
      return (await attendThinned(backend, problem, budget, thinning, { strided: true })).output;
    },
  };
};
