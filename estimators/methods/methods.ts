import { calibrated } from "./calibrated/calibrated.ts";
import { hyperattention } from "./hyperattention/hyperattention.ts";
import { kdeformerAtBudget } from "./kdeformer/kdeformer_at_budget.ts";
import { kdeformerPractical } from "./kdeformer_practical/kdeformer_practical.ts";
import { kdeformerResidual } from "./kdeformer_residual/kdeformer_residual.ts";
import type { Method } from "./method.ts";
import { muse, musePublished } from "./rivals/muse/muse.ts";
import { multipole, multipolePublished } from "./rivals/multipole/multipole.ts";
import { oracleSampling } from "./rivals/oracle_sampling/oracle_sampling.ts";
import { oracleTopK } from "./rivals/oracle_top_k/oracle_top_k.ts";
import { thinformer } from "./rivals/thinformer/thinformer.ts";
import { attentionMatching, attentionMatchingOmp } from "./rivals/attention_matching/attention_matching.ts";
import { balancekv } from "./rivals/balancekv/balancekv.ts";
import { wildcat } from "./rivals/wildcat/wildcat.ts";
import { magicpig, magicpigPublished } from "./rivals/magicpig/magicpig.ts";
import { performer } from "./rivals/performer/performer.ts";
import { reformer } from "./rivals/reformer/reformer.ts";
import { scatterbrain } from "./rivals/scatterbrain/scatterbrain.ts";
import { vAttention } from "./rivals/vattention/vattention.ts";
import { routed } from "./routed/routed.ts";
import { tiltedTree } from "./tilted_tree/tilted_tree.ts";

/** The methods that `attention` knows. */
export const methods = [
  "auto",
  "exact",
  "kdeformer",
  "kdeformer-residual",
  "kdeformer-practical",
  "hyperattention",
  "calibrated",
  "tilted-tree",
  "routed",
  "muse",
  "muse-published",
  "multipole",
  "multipole-published",
  "vattention",
  "oracle-top-k",
  "thinformer",
  "wildcat",
  "balancekv",
  "performer",
  "scatterbrain",
  "reformer",
  "magicpig",
  "magicpig-published",
  "oracle-sampling",
  "attention-matching",
  "attention-matching-omp",
] as const;
/** One of {@link methods}. */
export type MethodName = typeof methods[number];

/** The name of an approximate method. */
export type ApproximateName = Exclude<MethodName, "auto" | "exact">;

/**
 * The methods of this project by name: those that `auto` chooses from and the paper's, with our form of HyperAttention. Claims, benchmarks
 * and tests of what we promise read them here.
 */
const ours = {
  "kdeformer": kdeformerAtBudget,
  "kdeformer-residual": kdeformerResidual,
  "kdeformer-practical": kdeformerPractical,
  "hyperattention": hyperattention,
  "calibrated": calibrated,
  "tilted-tree": tiltedTree,
  "routed": routed,
} as const satisfies Partial<Record<ApproximateName, Method>>;

/** Methods of others, from their mathematics, for comparison; and oracles, which look at all keys. */
const rivals = {
  "muse": muse,
  "muse-published": musePublished,
  "multipole": multipole,
  "multipole-published": multipolePublished,
  "vattention": vAttention,
  "oracle-top-k": oracleTopK,
  "thinformer": thinformer,
  "wildcat": wildcat,
  "balancekv": balancekv,
  "performer": performer,
  "scatterbrain": scatterbrain,
  "reformer": reformer,
  "magicpig": magicpig,
  "magicpig-published": magicpigPublished,
  "oracle-sampling": oracleSampling,
  "attention-matching": attentionMatching,
  "attention-matching-omp": attentionMatchingOmp,
} as const satisfies Partial<Record<ApproximateName, Method>>;

/**
 * The approximate methods by name, and all there is to know of each: options, `verify`, `compare`, benchmarks, the tables of
 * the documents and tests read them here. The compiler asks for each name of the list above.
 */
export const approximateMethods: Readonly<Record<ApproximateName, Method>> = { ...ours, ...rivals };

/** The names of the methods of this project. */
export const ourNames: readonly ApproximateName[] = Object.keys(ours) as ApproximateName[];

/** What "auto" and "exact" do, in the words of the registry. */
const otherSummaries: Readonly<Record<"auto" | "exact", string>> = {
  auto:
    "the default: `calibrated` where it costs far less than exact, `tilted-tree` where rows held out say it is rough, else exact",
  exact: "every key, in tiles",
};

/** One line on each method, for people. */
export function summaryOf(name: MethodName): string {
  return name === "auto" || name === "exact" ? otherSummaries[name] : approximateMethods[name].summary;
}
