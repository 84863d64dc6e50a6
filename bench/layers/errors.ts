import { attention, type AttentionOptions, type Device, type Tensor, tensor } from "../../mod.ts";
import { approximateMethods, ourNames } from "../../estimators/methods/methods.ts";
import { relativeOutputError } from "../../proofs_checks/measures/spectral.ts";
import { firstGoodEnough, type Measured } from "../first_good_enough.ts";
import type { NamedInput } from "../../proofs_checks/inputs/family.ts";
import { headRows, oneHead } from "../heads.ts";
import { digits, median, medianAndRange } from "../markdown.ts";
import { type PublishedBudget, publishedKdeformer } from "../peers/published_kdeformer.ts";
import { tell } from "../timing.ts";

/** Key evaluations for each query that ours may spend; a third goes to blocks, where a method has blocks. */
const BUDGETS = [8, 12, 16, 20, 28, 36, 48, 64, 96, 128, 192];

/** A method and what it may spend. */
export type Setting =
  & Required<Pick<AttentionOptions, "method" | "bucketSize" | "samples">>
  & { readonly perQuery: number };

/** Errors of the published code, and the setting of ours that errs no more in the median. */
export interface LayerErrors {
  readonly published: readonly number[];
  readonly ours: Measured<Setting>;
}

/** `auto` at each budget, then the methods that keep to one, cheapest first. */
function* settings(): Generator<Setting> {
  const at = (method: Setting["method"], perQuery: number) => {
    const bucketSize = Math.round(perQuery / 3);
    return { method, perQuery, bucketSize, samples: perQuery - bucketSize };
  };
  const methods = ourNames.filter((name) => approximateMethods[name].withinBudget);
  for (const perQuery of BUDGETS) yield at("auto", perQuery);
  for (const perQuery of BUDGETS) {
    for (const method of methods) yield at(method, perQuery);
  }
}

/** Measures every draw of an input with every seed; each has random numbers of its own. */
export async function layerErrors(
  head: NamedInput,
  budget: PublishedBudget,
  seeds: number,
  device: Device,
): Promise<LayerErrors> {
  const { query, key, value, scale } = head, draws = query.shape[0];
  const run = async (options: AttentionOptions) =>
    (await attention(query, key, value, { ...options, scale, device })).output;
  const exact = await run({ method: "exact" });
  const published: number[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const one = oneHead(head, draw), right = headRows(exact, draw);
    for (let seed = 1; seed <= seeds; seed++) {
      const found: Tensor = tensor(publishedKdeformer(one, budget, seed, draw), right.shape);
      published.push(...relativeOutputError(found, right));
    }
  }
  const ours = await firstGoodEnough(settings(), median(published), async ({ perQuery, ...options }) => {
    const errors: number[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      errors.push(...relativeOutputError(await run({ ...options, seed }), exact));
    }
    tell(
      `  ${options.method} at ${perQuery}: ${medianAndRange(errors)}, published ${digits(median(published))}`,
    );
    return errors;
  });
  return { published, ours };
}
