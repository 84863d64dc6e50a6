import type { Size } from "../../kernels/known_answers/known_answer.ts";
import { casesOf } from "../../kernels/known_answers/known_answers.ts";
import type { PrimitiveName } from "../../kernels/primitives.ts";
import { type KernelCase, type KernelCases, ROWS, WIDTH } from "./kernel_case.ts";

/** Centres of each head, and halvings of its rows down to single ones, about. One head: lists of all keys for every centre take room. */
const CENTRES = 32, LEVELS = Math.log2(ROWS), HEADS = 1, SIZE = `${HEADS} × ${ROWS}, d = ${WIDTH}`;

const LAYER: Size = {
  heads: HEADS,
  queries: ROWS,
  keys: ROWS,
  features: WIDTH,
  valueFeatures: WIDTH,
  probes: CENTRES,
  points: CENTRES,
};

/** The known answer of a primitive at the size of a layer. */
function atLayer(name: PrimitiveName): KernelCase["prepare"] {
  return (backend) => casesOf([name])[0].prepare(backend, LAYER).call;
}

/** A tree over keys, and what centres make of it. */
export const treeCases: KernelCases<"growTree" | "nearestCentres" | "tiltKeys" | "openLists" | "sumLists"> = {
  growTree: [{
    name: "growTree",
    shape: SIZE,
    unit: "GFLOP/s",
    // In each level a product for each row; those of samples are not counted, though nodes of few rows are their own sample.
    work: 2 * HEADS * ROWS * WIDTH * LEVELS,
    prepare: atLayer("growTree"),
  }],
  nearestCentres: [{
    name: "nearestCentres",
    shape: `${SIZE}, ${CENTRES} centres`,
    unit: "GFLOP/s",
    work: 3 * HEADS * ROWS * WIDTH * CENTRES,
    prepare: atLayer("nearestCentres"),
  }],
  tiltKeys: [{
    name: "tiltKeys",
    shape: `${SIZE}, ${CENTRES} centres`,
    unit: "GFLOP/s",
    // The mean of each row's node and its distance from there, once: levels above can be had from those below.
    work: 5 * HEADS * ROWS * WIDTH * CENTRES,
    prepare: atLayer("tiltKeys"),
  }],
  openLists: [{
    name: "openLists",
    shape: `${HEADS} × ${CENTRES} × ${ROWS}`,
    unit: "GB/s",
    work: 2 * 4 * HEADS * ROWS * CENTRES,
    prepare: atLayer("openLists"),
  }],
  sumLists: [{
    name: "sumLists",
    shape: `${SIZE}, ${CENTRES} centres`,
    unit: "GFLOP/s",
    // Means of keys and values, and of rows and their distances from there.
    work: HEADS * ROWS * CENTRES * (2 * 2 * WIDTH + 5 * WIDTH),
    prepare: atLayer("sumLists"),
  }],
};
