import { attendMatched } from "../../estimators/methods/rivals/attention_matching/attention_matching.ts";
import type { Setting } from "../errors/rivals.ts";
import type { FindRerun, Rerun } from "./rerun.ts";

/** Attention Matching with the recorded rows and keys, fitted as the authors' code fits. */
export const rerunAttentionMatching: FindRerun = ({ variant = "", size }: Setting): Rerun | undefined => {
  const [, rows] = /r=(\d+|all)$/.exec(variant) ?? [];
  if (rows === undefined) return undefined;
  const choice = variant.includes("OMP") ? "pursuit" : "heaviest";
  return {
    random: rows !== "all",
    run: async (backend, problem, seed) => {
      const drawn = rows === "all" ? problem.queries : Number(rows),
        budget = { bucketSize: 1, samples: 0, seed };
      const matching = { choice, rows: drawn, kept: size!, published: true } as const;
      return (await attendMatched(backend, problem, budget, matching)).output;
    },
  };
};
