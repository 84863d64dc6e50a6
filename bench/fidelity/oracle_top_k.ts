import { oracleTopK } from "../../estimators/methods/rivals/oracle_top_k/oracle_top_k.ts";
import type { FindRerun } from "./rerun.ts";

/** The oracle of heavy keys. */
export const rerunOracleTopK: FindRerun = ({ size }) => ({
  random: false,
  run: async (backend, problem, seed) => {
    const budget = { bucketSize: 1, samples: size! - 1, seed };
    return (await oracleTopK.attend(backend, problem, budget)).output;
  },
});
