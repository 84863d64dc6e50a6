import type { Backend } from "../../kernels/backend.ts";
import { blockStart } from "../../kernels/partition.ts";
import {
  BLOCKS,
  HEADS,
  type KernelCase,
  type KernelCases,
  normals,
  permutation,
  problem,
  ROWS,
  SAMPLES,
  SIZE,
  WIDTH,
  words,
} from "./kernel_case.ts";

/** Points that stand for the keys of a head. */
const POINTS = 64;

/** The two products for so many pairs of a query and a key: logits and output; exponentials are not counted. */
const pairWork = (pairs: number, d: number, dv: number) => 2 * pairs * (d + dv);

/** Pairs of equal blocks of a head. */
const blockPairs = Array.from(
  { length: BLOCKS },
  (_, block) => (blockStart(block + 1, ROWS, BLOCKS) - blockStart(block, ROWS, BLOCKS)) ** 2,
).reduce((sum, pairs) => sum + pairs, 0);

const inBlocks = (backend: Backend) => ({
  ...problem(backend, HEADS, ROWS, ROWS, WIDTH, WIDTH),
  blocks: BLOCKS,
  queryOrder: permutation(backend, 10),
  keyOrder: permutation(backend, 20),
});

function exact(heads: number, queries: number, keys: number, d: number, dv: number): KernelCase {
  return {
    name: "attend, exact",
    shape: `${heads} × ${queries} × ${keys}, d = ${d}, d_v = ${dv}`,
    unit: "GFLOP/s",
    work: heads * pairWork(queries * keys, d, dv),
    prepare: (backend) => {
      const shape = problem(backend, heads, queries, keys, d, dv);
      return () => void backend.attend(shape);
    },
  };
}

/** The same with keys and values in half floats, which are made anew every time. */
function inHalves(...shape: Parameters<typeof exact>): KernelCase {
  const [heads, queries, keys, d, dv] = shape, halves = { largestKey: 8, largestValue: 8 };
  return {
    ...exact(...shape),
    name: "attend, exact, in half floats",
    on: "webgpu",
    prepare: (backend) => {
      const args = problem(backend, heads, queries, keys, d, dv);
      return () => void backend.attend({ ...args, halves });
    },
  };
}

/** Attention to all keys, to blocks, to blocks and samples, and to points. */
export const attendCases: KernelCases<"attend"> = {
  attend: [
    exact(1, 3136, 3136, 64, 64),
    exact(1, 4096, 1024, 64, 256),
    exact(1, 2048, 2048, 128, 128),
    exact(8, 1024, 1024, 15, 15),
    inHalves(1, 3136, 3136, 64, 64),
    {
      name: "attend, equal blocks",
      shape: `${SIZE}, ${BLOCKS} blocks`,
      unit: "GFLOP/s",
      work: HEADS * pairWork(blockPairs, WIDTH, WIDTH),
      prepare: (backend) => {
        const shape = inBlocks(backend);
        return () => void backend.attend(shape);
      },
    },
    {
      name: "attend, blocks and samples",
      shape: `${SIZE}, ${BLOCKS} blocks, ${SAMPLES} samples`,
      unit: "GFLOP/s",
      work: HEADS * pairWork(blockPairs + ROWS * SAMPLES, WIDTH, WIDTH),
      prepare: (backend) => {
        const shape = inBlocks(backend);
        const samples = {
          count: SAMPLES,
          index: words(backend, 30, HEADS * SAMPLES, ROWS),
          logWeights: normals(backend, 31, HEADS * SAMPLES),
          // Any permutation does: it decides which samples a block sees, not how many pairs are computed.
          position: permutation(backend, 20),
        };
        return () => void backend.attend({ ...shape, samples });
      },
    },
    {
      name: "attend, weighted points",
      shape: `${SIZE}, ${POINTS} points`,
      unit: "GFLOP/s",
      work: HEADS * pairWork(ROWS * POINTS, WIDTH, WIDTH),
      prepare: (backend) => {
        const shape = problem(backend, HEADS, ROWS, POINTS, WIDTH, WIDTH);
        const logWeights = normals(backend, 3, HEADS * POINTS);
        return () => void backend.attend({ ...shape, logWeights });
      },
    },
  ],
};
