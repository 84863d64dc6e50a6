import type { Mutant } from "../mutant.ts";

const CORESET = ["calibrated-error"] as const;

/** Faults of attention to calibrated coresets. */
export const coreset: readonly Mutant[] = [
  {
    id: "L01",
    file: "estimators/methods/calibrated/calibrated_heads.ts",
    fault: "the masses of points are dropped in the output",
    find: "    value: values,\n    logWeights: points.logMass,",
    replace: "    value: values,",
    claims: CORESET,
  },
  {
    id: "L02",
    file: "estimators/methods/calibrated/calibrated_heads.ts",
    fault: "an outlying query counts twenty times for one twentieth",
    find: "OUTLYING_WEIGHT = 0.05",
    replace: "OUTLYING_WEIGHT = 20",
    claims: CORESET,
  },
  {
    id: "L03",
    file: "estimators/methods/shared/probed_heads.ts",
    fault: "exact rows of later heads are written into head 0",
    find: "const row = head * queries + picks[at]",
    replace: "const row = 0 * queries + picks[at]",
    claims: [
      "heads-in-company",
      "heads-before-others",
      "invariance-batch",
      "calibrated-error",
      "tilted-error",
    ],
  },
  {
    id: "L04",
    file: "estimators/methods/shared/probed_heads.ts",
    fault: "the error is told from rows that were fitted to",
    find: ".slice(probes - rows);",
    replace: ".slice(0, rows);",
    claims: ["calibrated-error", "tilted-error"],
  },
  {
    id: "L05",
    file: "estimators/methods/calibrated/calibrated_heads.ts",
    fault: "clusters follow the rows held out as well",
    find: "      counted: fitted,\n",
    replace: "",
    claims: CORESET,
  },
  {
    id: "L06",
    file: "estimators/methods/calibrated/calibrated_heads.ts",
    fault: "rows held out have their part in the fit",
    find: "const fitted = counts.uniform + counts.outlying;",
    replace: "const fitted = counts.uniform + counts.outlying + counts.heldOut;",
    claims: CORESET,
  },
  {
    id: "L07",
    file: "estimators/methods/calibrated/calibrated_heads.ts",
    fault: "the values of points are not calibrated",
    find: "  const values = backend.calibrateValues({",
    replace: "  const values = slope || !slope ? points.value : backend.calibrateValues({",
    claims: CORESET,
  },
  {
    id: "L08",
    file: "estimators/methods/calibrated/linearised_heads.ts",
    fault: "every head has the mass of head 0",
    find: "logMass[Math.floor(row / queries)]",
    replace: "logMass[0 * Math.floor(row / queries)]",
    claims: CORESET,
  },
  {
    id: "L09",
    file: "estimators/methods/calibrated/calibrated_heads.ts",
    fault: "the linear function is fitted but not added",
    find: "if (!slope) return attended;",
    replace: "if (!slope || slope) return attended;",
    claims: CORESET,
  },
  {
    id: "L10",
    file: "estimators/methods/shared/probed_heads.ts",
    fault: "every head of a run is probed by the stream of the first",
    find: "new RandomStream(seed, Purpose.probes, firstHead + head)",
    replace: "new RandomStream(seed, Purpose.probes, firstHead)",
    claims: [
      "heads-draw-apart",
      "heads-in-company",
      "heads-before-others",
      "invariance-batch",
      "calibrated-error",
    ],
  },
];
