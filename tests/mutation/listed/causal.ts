import type { Mutant } from "../mutant.ts";

/** Faults of causal order, masks, and what all methods share of problems. */
export const causal: readonly Mutant[] = [
  {
    id: "V01",
    file: "estimators/methods/rectangles.ts",
    fault: "causal: keys before the first query are left out",
    find: "      if (causalOffset > 0) add(0, period, 0, causalOffset, false);\n",
    replace: "",
  },
  {
    id: "V02",
    file: "estimators/methods/rectangles.ts",
    fault: "causal: every query of a triangle sees all of its keys",
    find: "causalOffset: triangular ? 0 : undefined,",
    replace: "causalOffset: undefined,",
  },
  {
    id: "V03",
    file: "estimators/methods/rectangle_merger.ts",
    fault: "causal: sums of merged rows are not added up",
    find: "this.#logSumExp[row] = largest + Math.log(total);",
    replace: "this.#logSumExp[row] = largest;",
  },
  {
    id: "V04",
    file: "estimators/methods/rectangles.ts",
    fault: "causal: later sequences that share a head are taken for the first",
    find: "firstQuery: sequence + start,",
    replace: "firstQuery: start,",
  },
  {
    id: "V05",
    file: "estimators/methods/rectangles.ts",
    fault: "causal: a rectangle is one key short",
    find: "add(start + half, end, causalOffset + start, causalOffset + start + half, false);",
    replace: "add(start + half, end, causalOffset + start, causalOffset + start + half - 1, false);",
  },
  {
    id: "V06",
    file: "estimators/methods/rectangle_merger.ts",
    fault: "causal: rows of later heads are merged into head 0",
    find: "head * queries + firstQuery + i",
    replace: "0 * head * queries + firstQuery + i",
  },
  {
    id: "V07",
    file: "estimators/methods/rectangles.ts",
    fault: "causal: every head has the mask of head 0",
    find: "logWeights[head * keys + j] > MASKED) rows.push(j);",
    replace: "logWeights[j] > MASKED) rows.push(j);",
  },
  {
    id: "V08",
    file: "estimators/methods/tilted_tree/causal_blocks.ts",
    fault: "causal tree: a block sees one key of its own diagonal before it",
    find: "problem.causalOffset! + part % blocks * length);",
    replace: "problem.causalOffset! + part % blocks * length + 1);",
  },
  {
    id: "V09",
    file: "estimators/methods/tilted_tree/causal_heads.ts",
    fault: "causal tree: the diagonal is not causal",
    find: "    causal: { period: length, offset: 0 },\n",
    replace: "",
  },
  {
    id: "V10",
    file: "estimators/core/hidden_keys.ts",
    fault: "mask: values of visible keys are copied from head 0",
    find:
      "value.set(problem.value.subarray(start * valueFeatures, stop * valueFeatures), to * valueFeatures);",
    replace:
      "value.set(problem.value.subarray((start - from) * valueFeatures, (stop - from) * valueFeatures), to * valueFeatures);",
  },
  {
    id: "V11",
    file: "estimators/core/centred.ts",
    fault: "rows of later heads are moved by the centre of head 0",
    find: "const centre = Math.floor(row / count) * width;",
    replace: "const centre = 0 * Math.floor(row / count) * width;",
    claims: ["invariance-key-shift", "exact-attention", "finite-output"],
  },
  {
    id: "V12",
    file: "estimators/core/centred.ts",
    fault: "the logits that all queries share are left out",
    find: "logits[j] = scale * product;",
    replace: "logits[j] = 0 * scale * product;",
    claims: ["exact-attention", "certified-attention", "finite-output"],
  },
  {
    id: "V13",
    file: "estimators/core/centred.ts",
    fault: "log-sum-exps are not lifted by the common logits",
    find: "return sum + scale * product + (largest?.[head] ?? 0);",
    replace: "return sum + 0 * product + (largest?.[head] ?? 0);",
    claims: ["exact-attention", "merge-identity", "finite-output"],
  },
];
