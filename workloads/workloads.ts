import type { NamedInput } from "../proofs_checks/inputs/family.ts";
import { families } from "../proofs_checks/inputs/families.ts";
import { glove, gloveShared } from "./glove.ts";
import { familyWorkload } from "./input_family.ts";
import { layerShapes } from "./layer_shapes.ts";
import { ocr } from "./ocr/workload.ts";
import { sentenceEncoder } from "./sentence_encoder/workload.ts";
import { optionError, type RealData, type Workload, type WorkloadOptions } from "./workload.ts";

export type { AttentionFunction, WorkloadOptions } from "./workload.ts";

/** The workloads: real data, the layers of the paper, and each family of inputs. */
const workloads: readonly Workload[] = [
  glove,
  gloveShared,
  sentenceEncoder,
  ocr,
  ...layerShapes,
  ...families.map(familyWorkload),
];

/** Names that {@link loadWorkload} knows. */
export const workloadNames: readonly string[] = workloads.map(({ name }) => name);

/** The heads of a workload, as the option `head` names them; none where it has no heads to choose from. */
export function headsOf(name: string): readonly string[] {
  return workloads.find((workload) => workload.name === name)?.heads ?? [];
}

/** The workloads of real data on which claims can be checked. */
export const realWorkloads: readonly (Workload & { readonly verifyAs: RealData })[] = workloads.filter(
  (workload): workload is Workload & { readonly verifyAs: RealData } => workload.verifyAs !== undefined,
);

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
export async function loadWorkload(name: string, options: WorkloadOptions = {}): Promise<NamedInput> {
  const workload = workloads.find((candidate) => candidate.name === name);
  if (!workload) throw optionError(name, `name must be one of ${workloadNames.join(", ")}`, name);
  const { n, batch = 1, seed = 1, head } = options;
  for (const [option, value] of Object.entries({ n: n ?? 1, batch })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw optionError(name, `${option} must be a positive integer`, value);
    }
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw optionError(name, "seed must be an integer from 0 to 2^53 − 1", seed);
  }
  if (head !== undefined && !workload.heads) {
    const withHeads = workloads.filter(({ heads }) => heads).map(({ name }) => name);
    throw optionError(name, `head can be chosen for ${withHeads.join(" and ")} only`, head);
  }
  options.signal?.throwIfAborted();
  return await workload.load({ ...options, batch, seed });
}
