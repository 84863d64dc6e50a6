import type { Size } from "../../kernels/known_answers/known_answer.ts";
import { casesOf } from "../../kernels/known_answers/known_answers.ts";
import type { PrimitiveName } from "../../kernels/primitives.ts";
import { COLUMN_BYTES, HEADS, type KernelCase, type KernelCases, ROWS, SIZE, WIDTH } from "./kernel_case.ts";

/** Probes, of which all but two are fitted, and points that stand for the keys of a head. */
const PROBES = 34, FITTED = PROBES - 2, POINTS = 64;

const LAYER: Size = {
  heads: HEADS,
  queries: ROWS,
  keys: ROWS,
  features: WIDTH,
  valueFeatures: WIDTH,
  probes: PROBES,
  points: POINTS,
};

/** The known answer of a primitive at the size of a layer. */
function atLayer(name: PrimitiveName, size: Size = LAYER): KernelCase["prepare"] {
  return (backend) => casesOf([name])[0].prepare(backend, size).call;
}

/** Points for clusters of keys, and what they leave out. Products of systems count as if no symmetry were used. */
export const coresetCases: KernelCases<
  "attendProbes" | "pairBuckets" | "fitPoints" | "calibrateValues" | "fitCentre" | "fitSlope"
> = {
  attendProbes: [{
    name: "attendProbes",
    shape: `${SIZE}, ${PROBES} probes`,
    unit: "GFLOP/s",
    work: 2 * HEADS * PROBES * ROWS * 2 * WIDTH,
    prepare: atLayer("attendProbes", { ...LAYER, queries: PROBES }),
  }],
  pairBuckets: [{
    name: "pairBuckets",
    shape: `${HEADS} × ${ROWS}, small buckets`,
    unit: "GB/s",
    work: 4 * COLUMN_BYTES,
    prepare: atLayer("pairBuckets"),
  }],
  fitPoints: [{
    name: "fitPoints",
    shape: `${SIZE}, ${PROBES} probes, ${POINTS} points`,
    unit: "GFLOP/s",
    // Two sums over the probes and two means for each key, and the logits of the points.
    work: 2 * HEADS * (ROWS * (2 * FITTED + 2 * WIDTH) + PROBES * POINTS * WIDTH),
    prepare: atLayer("fitPoints"),
  }],
  calibrateValues: [{
    name: "calibrateValues",
    shape: `${HEADS} × ${POINTS} points, ${PROBES} probes, d_v = ${WIDTH}`,
    unit: "GFLOP/s",
    // The system, its factors and solutions, what the points predict before and after, and the correction.
    work: 2 * HEADS *
      (FITTED ** 2 * POINTS + FITTED ** 3 / 3 + FITTED ** 2 * WIDTH + 2 * (PROBES + FITTED) * POINTS * WIDTH),
    prepare: atLayer("calibrateValues"),
  }],
  fitCentre: [{
    name: "fitCentre",
    shape: `${SIZE}, ${PROBES} probes`,
    unit: "GFLOP/s",
    // Every second key is taken.
    work: HEADS * ROWS * (PROBES + WIDTH),
    prepare: atLayer("fitCentre"),
  }],
  fitSlope: [{
    name: "fitSlope",
    shape: `${SIZE}, ${PROBES} probes`,
    unit: "GFLOP/s",
    // Every second key is taken.
    work: HEADS * (ROWS * (FITTED + WIDTH ** 2) + 2 * PROBES * WIDTH ** 2),
    prepare: atLayer("fitSlope"),
  }],
};
