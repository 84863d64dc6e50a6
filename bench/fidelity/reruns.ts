import { rerunMultipole } from "./multipole.ts";
import { rerunMuse } from "./muse.ts";
import { rerunOracleSampling } from "./oracle_sampling.ts";
import { rerunOracleTopK } from "./oracle_top_k.ts";
import { rerunVAttention } from "./vattention.ts";
import type { FindRerun } from "./rerun.ts";

/** Who finds our words for the settings of an implementation, by its name in `rival_errors.json`. */
export const reruns: Readonly<Record<string, FindRerun>> = {
  multipole: rerunMultipole,
  muse: rerunMuse,
  oracle_priority: rerunOracleSampling,
  oracle_top_k: rerunOracleTopK,
  vattention: rerunVAttention,
};
