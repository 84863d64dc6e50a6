import { Purpose, seedWords } from "../../kernels/random.ts";
import {
  COLUMN_BYTES,
  HEADS,
  type KernelCases,
  MATRIX_BYTES,
  normals,
  permutation,
  positive,
  PROBES,
  PROJECTIONS,
  ROWS,
  rows,
  SAMPLES,
  SIZE,
  WIDTH,
  words,
} from "./kernel_case.ts";

/** Columns of a sketch. */
const SKETCH = 12;

/** Kernels that move more than they compute; bytes are those that have to be read and written once. */
export const memoryCases: KernelCases<
  | "sortByBucket"
  | "sampleKeys"
  | "keyImportance"
  | "columnMean"
  | "centreRows"
  | "gatherRows"
  | "sketchRows"
  | "mergeAttention"
> = {
  sortByBucket: [{
    name: "sortByBucket",
    shape: `${HEADS} × ${ROWS}, ${2 ** PROJECTIONS} buckets`,
    unit: "GB/s",
    work: 3 * COLUMN_BYTES,
    prepare: (backend) => {
      const buckets = 2 ** PROJECTIONS, ranks = words(backend, 0, HEADS * ROWS, buckets);
      return () => void backend.sortByBucket({ ranks, heads: HEADS, count: ROWS, buckets });
    },
  }],
  sampleKeys: [{
    name: "sampleKeys",
    shape: `${HEADS} × ${ROWS}, ${SAMPLES} samples`,
    unit: "GB/s",
    work: COLUMN_BYTES,
    prepare: (backend) => {
      const importance = positive(backend, 3, HEADS * ROWS);
      const draw = { seed: seedWords(7), purpose: Purpose.samples, firstStream: 0 };
      return () =>
        void backend.sampleKeys({ importance, heads: HEADS, keys: ROWS, samples: SAMPLES, ...draw });
    },
  }],
  keyImportance: [{
    name: "keyImportance",
    shape: `${SIZE}, ${PROBES} probes`,
    unit: "GB/s",
    work: MATRIX_BYTES + (PROBES + 1) * COLUMN_BYTES,
    prepare: (backend) => {
      const { rows: value, heads } = rows(backend);
      const shape = { value, heads, keys: ROWS, valueFeatures: WIDTH, probes: PROBES, valueScale: 1 };
      const probabilities = positive(backend, 3, HEADS * PROBES * ROWS);
      const centre = normals(backend, 4, HEADS * WIDTH);
      const shares = { columnShare: 0.75, valueShare: 0.15, uniformShare: 0.1 };
      return () => void backend.keyImportance({ ...shape, probabilities, centre, ...shares });
    },
  }],
  columnMean: [{
    name: "columnMean",
    shape: SIZE,
    unit: "GB/s",
    work: MATRIX_BYTES,
    prepare: (backend) => {
      const shape = rows(backend);
      return () => void backend.columnMean(shape);
    },
  }],
  centreRows: [{
    name: "centreRows",
    shape: SIZE,
    unit: "GB/s",
    work: 2 * MATRIX_BYTES,
    prepare: (backend) => {
      const shape = { ...rows(backend), centre: normals(backend, 3, HEADS * WIDTH) };
      return () => void backend.centreRows(shape);
    },
  }],
  gatherRows: [{
    name: "gatherRows",
    shape: `${SIZE}, all rows`,
    unit: "GB/s",
    work: 2 * MATRIX_BYTES + COLUMN_BYTES,
    prepare: (backend) => {
      const shape = { ...rows(backend), index: permutation(backend, 10), picks: ROWS };
      return () => void backend.gatherRows(shape);
    },
  }],
  sketchRows: [{
    name: "sketchRows",
    shape: `${SIZE}, to ${SKETCH}`,
    unit: "GB/s",
    work: (1 + SKETCH / WIDTH) * MATRIX_BYTES,
    prepare: (backend) => {
      const shape = { ...rows(backend), signs: normals(backend, 3, 2 * WIDTH), folded: SKETCH };
      return () => void backend.sketchRows(shape);
    },
  }],
  mergeAttention: [{
    name: "mergeAttention",
    shape: SIZE,
    unit: "GB/s",
    work: 3 * (MATRIX_BYTES + COLUMN_BYTES),
    prepare: (backend) => {
      const part = (number: number) => ({
        output: normals(backend, number, HEADS * ROWS * WIDTH),
        logSumExp: normals(backend, number + 1, HEADS * ROWS),
      });
      const parts = { first: part(0), second: part(2) };
      return () =>
        void backend.mergeAttention({ ...parts, heads: HEADS, queries: ROWS, valueFeatures: WIDTH });
    },
  }],
};
