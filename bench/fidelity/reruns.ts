import { rerunAttentionMatching } from "./attention_matching.ts";
import { rerunBalancekv } from "./balancekv.ts";
import { rerunOracleTopK } from "./oracle_top_k.ts";
import type { FindRerun } from "./rerun.ts";
import { rerunThinformer } from "./thinformer.ts";
import { rerunWildcat } from "./wildcat.ts";

/** Who finds our words for the settings of an implementation, by its name in `rival_errors.json`. */
export const reruns: Readonly<Record<string, FindRerun>> = {
  "attention_matching": rerunAttentionMatching,
  balancekv: rerunBalancekv,
  "oracle_top_k": rerunOracleTopK,
  thinformer: rerunThinformer,
  wildcat: rerunWildcat,
};
