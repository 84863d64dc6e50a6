import { rerunHyperattention } from "./hyperattention.ts";
import { rerunKdeformer } from "./kdeformer.ts";
import { rerunOfficial, rerunPort } from "./magicpig.ts";
import { rerunOracleTopK } from "./oracle_top_k.ts";
import { rerunPerformer } from "./performer.ts";
import type { FindRerun } from "./rerun.ts";
import { rerunReformer } from "./reformer.ts";
import { rerunScatterbrain } from "./scatterbrain.ts";

/** Who finds our words for the settings of an implementation, by its name in `rival_errors.json`. */
export const reruns: Readonly<Record<string, FindRerun>> = {
  kdeformer: rerunKdeformer,
  hyperattention: rerunHyperattention,
  oracle_top_k: rerunOracleTopK,
  performer: rerunPerformer,
  magicpig_official: rerunOfficial,
  magicpig_port: rerunPort,
  reformer: rerunReformer,
  scatterbrain: rerunScatterbrain,
};
