import { rerunAttentionMatching } from "./attention_matching.ts";
import { rerunBalancekv } from "./balancekv.ts";
import { rerunHyperattention } from "./hyperattention.ts";
import { rerunKdeformer } from "./kdeformer.ts";
import { rerunOfficial, rerunPort } from "./magicpig.ts";
import { rerunMultipole } from "./multipole.ts";
import { rerunMuse } from "./muse.ts";
import { rerunOracleSampling } from "./oracle_sampling.ts";
import { rerunOracleTopK } from "./oracle_top_k.ts";
import { rerunPerformer } from "./performer.ts";
import { rerunReformer } from "./reformer.ts";
import type { FindRerun } from "./rerun.ts";
import { rerunScatterbrain } from "./scatterbrain.ts";
import { rerunThinformer } from "./thinformer.ts";
import { rerunVAttention } from "./vattention.ts";
import { rerunWildcat } from "./wildcat.ts";

/** Who finds our words for the settings of an implementation, by its name in `rival_errors.json`. */
export const reruns: Readonly<Record<string, FindRerun>> = {
  "attention_matching": rerunAttentionMatching,
  balancekv: rerunBalancekv,
  hyperattention: rerunHyperattention,
  kdeformer: rerunKdeformer,
  "magicpig_official": rerunOfficial,
  "magicpig_port": rerunPort,
  multipole: rerunMultipole,
  muse: rerunMuse,
  "oracle_priority": rerunOracleSampling,
  "oracle_top_k": rerunOracleTopK,
  performer: rerunPerformer,
  reformer: rerunReformer,
  scatterbrain: rerunScatterbrain,
  thinformer: rerunThinformer,
  vattention: rerunVAttention,
  wildcat: rerunWildcat,
};
