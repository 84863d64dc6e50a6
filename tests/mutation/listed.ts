import { causal } from "./listed/causal.ts";
import { certified } from "./listed/certified.ts";
import { coreset } from "./listed/coreset.ts";
import { kde } from "./listed/kde.ts";
import { kdeformer } from "./listed/kdeformer.ts";
import { kernels } from "./listed/kernels.ts";
import { practical } from "./listed/practical.ts";
import { tree } from "./listed/tree.ts";
import type { Mutant } from "./mutant.ts";

/** Faults that people made up, by area. */
export const listed: readonly Mutant[] = [
  ...certified,
  ...kde,
  ...kdeformer,
  ...practical,
  ...coreset,
  ...tree,
  ...causal,
  ...kernels,
];
