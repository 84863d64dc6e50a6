import { attendBalanced, GAMMA } from "../../estimators/methods/rivals/balancekv/balancekv.ts";
import type { Setting } from "../errors/rivals.ts";
import type { FindRerun, Rerun } from "./rerun.ts";

/** Keys of a block in the authors' code. */
const BLOCK = 128;

/** BalanceKV with the recorded number of rounds, the first sign of a block 1, weights in both places or on values alone. */
export const rerunBalancekv: FindRerun = ({ variant = "", size }: Setting): Rerun | undefined => ({
  random: true,
  run: async (backend, problem, seed) => {
    const rounds = Math.round(Math.log2(problem.keys / size!)), budget = { bucketSize: 1, samples: 0, seed };
    const balancing = { rounds, block: BLOCK, gamma: GAMMA, first: "one" } as const;
    const valuesOnly = variant.startsWith("public");
    return (await attendBalanced(backend, problem, budget, balancing, { valuesOnly })).output;
  },
});
