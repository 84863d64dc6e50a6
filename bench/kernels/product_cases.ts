import {
  HEADS,
  type KernelCases,
  normals,
  positive,
  PROBES,
  problem,
  PROJECTIONS,
  ROWS,
  rows,
  SIZE,
  WIDTH,
  words,
} from "./kernel_case.ts";

/** Rows whose distance each query asks for. */
const PICKS = 16;
/** What bisection may spend for each row, a product with every query for each cluster included. */
const BISECTION = 48;
/** Rows that its tree grows on. */
const GROWN = 512;

/** Kernels that multiply and add, beside attention. */
export const productCases: KernelCases<
  "softmaxRows" | "angularHash" | "innerProducts" | "gatheredDistances" | "addLinear" | "bisectRows"
> = {
  softmaxRows: [{
    name: "softmaxRows",
    shape: `${SIZE}, ${PROBES} rows`,
    unit: "GFLOP/s",
    work: 2 * HEADS * PROBES * ROWS * WIDTH,
    prepare: (backend) => {
      const shape = problem(backend, HEADS, PROBES, ROWS, WIDTH, WIDTH);
      return () => void backend.softmaxRows(shape);
    },
  }],
  angularHash: [{
    name: "angularHash",
    shape: `${SIZE}, ${PROJECTIONS} hyperplanes`,
    unit: "GFLOP/s",
    work: 2 * HEADS * ROWS * WIDTH * PROJECTIONS,
    prepare: (backend) => {
      const hyperplanes = normals(backend, 3, HEADS * PROJECTIONS * WIDTH);
      const shape = { ...rows(backend), hyperplanes, projections: PROJECTIONS };
      return () => void backend.angularHash(shape);
    },
  }],
  innerProducts: [{
    name: "innerProducts",
    shape: `${SIZE}, ${PROJECTIONS} directions`,
    unit: "GFLOP/s",
    work: 2 * HEADS * ROWS * WIDTH * PROJECTIONS,
    prepare: (backend) => {
      const directions = normals(backend, 3, HEADS * PROJECTIONS * WIDTH);
      const shape = { ...rows(backend), directions, projections: PROJECTIONS };
      return () => void backend.innerProducts(shape);
    },
  }],
  gatheredDistances: [{
    name: "gatheredDistances",
    shape: `${SIZE}, ${PICKS} rows each`,
    unit: "GFLOP/s",
    // A subtraction, a multiplication and an addition.
    work: 3 * HEADS * ROWS * PICKS * WIDTH,
    prepare: (backend) => {
      const query = normals(backend, 3, HEADS * ROWS * WIDTH);
      const index = words(backend, 4, HEADS * ROWS * PICKS, ROWS);
      const shape = { ...rows(backend), query, index, queries: ROWS, picks: PICKS };
      return () => void backend.gatheredDistances(shape);
    },
  }],
  addLinear: [{
    name: "addLinear",
    shape: `${SIZE}, d_v = ${WIDTH}`,
    unit: "GFLOP/s",
    work: 2 * HEADS * ROWS * WIDTH * WIDTH,
    prepare: (backend) => {
      const query = normals(backend, 3, HEADS * ROWS * WIDTH), offset = normals(backend, 4, HEADS * WIDTH);
      // Whole vec4s lie the same way on every device.
      const slope = normals(backend, 5, HEADS * WIDTH * WIDTH);
      const shape = { ...rows(backend), query, slope, offset, features: WIDTH, valueFeatures: WIDTH };
      return () => void backend.addLinear(shape);
    },
  }],
  bisectRows: [{
    name: "bisectRows",
    shape: `${SIZE}, budget ${BISECTION}, grown on ${GROWN}`,
    unit: "GFLOP/s",
    work: 2 * WIDTH,
    prepare: (backend) => {
      const weights = positive(backend, 3, HEADS * ROWS);
      const shape = { ...rows(backend), weights, grownOn: GROWN, budget: BISECTION * ROWS, perCluster: ROWS };
      return () => backend.bisectRows(shape).products;
    },
  }],
};
