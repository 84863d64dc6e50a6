import { families } from "../proofs_checks/inputs/families.ts";
import { glove } from "./glove.ts";
import { familyLoader } from "./input_family.ts";
import { layerShape } from "./layer_shapes.ts";
import { ocr } from "./ocr/workload.ts";
import { sentenceEncoder } from "./sentence_encoder/workload.ts";
import { optionError, type Workload, type WorkloadLoader, type WorkloadOptions } from "./workload.ts";

export type { AttentionFunction, Workload, WorkloadOptions } from "./workload.ts";

const LOADERS: ReadonlyMap<string, WorkloadLoader> = new Map<string, WorkloadLoader>([
  ["glove", glove],
  ["sentence-encoder", sentenceEncoder],
  ["ocr", ocr],
  ["t2t-vit-1", layerShape],
  ["t2t-vit-2", layerShape],
  ["biggan-512", layerShape],
  ...families.map((family): [string, WorkloadLoader] => [family.name, familyLoader(family)]),
]);

/** Names of the pretrained models, whose heads can be chosen. */
const WITH_HEADS: readonly string[] = ["sentence-encoder", "ocr"];

/** Names that {@link loadWorkload} knows. */
export const workloadNames: readonly string[] = [...LOADERS.keys()];

/**
 * Makes an attention problem by name. The same options give the same values; real data is fetched on first
 * use.
 *
 * @example
 * ```ts
 * import { loadWorkload } from "./workloads.ts";
 * const { query, scale } = await loadWorkload("gaussian", { n: 256, seed: 7 });
 * console.log(query.shape, scale); // [1, 256, 64] 0.125
 * ```
 *
 * @throws {RangeError} If there is no such workload, or an option is out of range for it.
 * @throws {Error} If its data can neither be found nor fetched.
 */
export async function loadWorkload(name: string, options: WorkloadOptions = {}): Promise<Workload> {
  const load = LOADERS.get(name);
  if (!load) throw optionError(name, `name must be one of ${workloadNames.join(", ")}`, name);
  const { n, batch = 1, seed = 1, head } = options;
  for (const [option, value] of Object.entries({ n: n ?? 1, batch })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw optionError(name, `${option} must be a positive integer`, value);
    }
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw optionError(name, "seed must be an integer from 0 to 2^53 − 1", seed);
  }
  if (head !== undefined && !WITH_HEADS.includes(name)) {
    throw optionError(name, `head can be chosen for ${WITH_HEADS.join(" and ")} only`, head);
  }
  options.signal?.throwIfAborted();
  return await load(name, { ...options, batch, seed });
}
