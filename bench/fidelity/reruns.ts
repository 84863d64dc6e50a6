import { rerunBalancekv } from "./balancekv.ts";
import { rerunOfficial, rerunPort } from "./magicpig.ts";
import { rerunOracleTopK } from "./oracle_top_k.ts";
import { rerunPerformer } from "./performer.ts";
import { rerunReformer } from "./reformer.ts";
import { rerunScatterbrain } from "./scatterbrain.ts";
import { rerunThinformer } from "./thinformer.ts";
import { rerunWildcat } from "./wildcat.ts";

/** Who finds our words for the settings of an implementation, by its name in `rival_errors.json`. */
export const reruns: Readonly<Record<string, FindRerun>> = {
  balancekv: rerunBalancekv,
  "magicpig_official": rerunOfficial,
  "magicpig_port": rerunPort,
  "oracle_top_k": rerunOracleTopK,
  performer: rerunPerformer,
  reformer: rerunReformer,
  scatterbrain: rerunScatterbrain,
  thinformer: rerunThinformer,
  wildcat: rerunWildcat,
};
