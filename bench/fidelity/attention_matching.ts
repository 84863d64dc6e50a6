import { attendMatched } from "../../estimators/methods/rivals/attention_matching/attention_matching.ts";
import type { Setting } from "../errors/rivals.ts";
import type { Rerun } from "./rerun.ts";

/** Here all is solved in float64, as in the patched variants. */
const FAULT =
  "without a ridge, and in float32: where keys nearly make up each other, values are what rounding leaves";

/** Attention Matching with the recorded rows and keys, fitted as the authors' code fits. */
export function rerunAttentionMatching({ variant = "", size }: Setting): Rerun | undefined {
  const [, rows] = /r=(\d+|all)$/.exec(variant) ?? [];
  if (rows === undefined) return undefined;
  const precise = variant.startsWith("own patch: float64"),
    choice = variant.includes("OMP") ? "pursuit" : "heaviest";
  return {
    random: rows !== "all",
    fault: precise ? undefined : FAULT,
    run: async (backend, problem, seed) => {
      const drawn = rows === "all" ? problem.queries : Number(rows),
        budget = { bucketSize: 1, samples: 0, seed };
      const matching = { choice, rows: drawn, kept: size!, published: true } as const;
      return (await attendMatched(backend, problem, budget, matching)).output;
    },
  };
}
