import { oracleTopK } from "../../estimators/methods/rivals/oracle_top_k/oracle_top_k.ts";
import type { Setting } from "../errors/rivals.ts";
import type { Rerun } from "./rerun.ts";

/** The oracle of heavy keys. */
export function rerunOracleTopK({ size }: Setting): Rerun {
  return {
    random: false,
    run: async (backend, problem, seed) => {
      const budget = { bucketSize: 1, samples: size! - 1, seed };
      return (await oracleTopK.attend(backend, problem, budget)).output;
    },
  };
}
