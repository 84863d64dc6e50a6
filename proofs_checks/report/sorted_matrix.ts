import { ReferenceBackend } from "../../kernels/reference/backend.ts";
import { hashBlocks } from "../claims/block_removal.ts";
import { clustered } from "../inputs/clustered.ts";
import { Oracle } from "../measures/oracle.ts";

const N = 512, BLOCKS = 16;
/** Cells of the picture, each way. */
export const CELLS = 64;

/** A softmax matrix in cells, in the order of the input and in that of the hash. */
export interface MatrixPicture {
  readonly cells: readonly {
    readonly order: "before" | "after";
    readonly row: number;
    readonly column: number;
    /** Root of the weight of the cell over that of the heaviest, from 0 to 1: an eye sees small weights too. */
    readonly weight: number;
  }[];
  readonly blocks: number;
  /** Weight inside the blocks of the diagonal after the sort, over all weight. */
  readonly share: number;
}

/** The picture of why blocks work, on clustered inputs. */
export async function sortedMatrix(seed = 1): Promise<MatrixPicture> {
  const { softmax, problem } = new Oracle(clustered.generate({ n: N, seed, valueFeatures: 1 }));
  const { query, key, queryOrder, keyOrder } = await hashBlocks(
    new ReferenceBackend(),
    problem,
    seed,
    BLOCKS,
  );
  const identity = Uint32Array.from({ length: N }, (_, i) => i);
  let inside = 0;
  softmax.forEach((p, at) => inside += query[Math.floor(at / N)] === key[at % N] ? p / N : 0);
  const picture = (order: "before" | "after", rows: Uint32Array, columns: Uint32Array) => {
    const sums = new Float64Array(CELLS * CELLS), size = N / CELLS;
    for (let i = 0; i < N; i++) {
      for (let j = 0; j < N; j++) {
        sums[Math.floor(i / size) * CELLS + Math.floor(j / size)] += softmax[rows[i] * N + columns[j]];
      }
    }
    return Array.from(
      sums,
      (sum, at) => ({ order, row: Math.floor(at / CELLS), column: at % CELLS, weight: sum }),
    );
  };
  const cells = [...picture("before", identity, identity), ...picture("after", queryOrder, keyOrder)];
  const most = cells.reduce((a, { weight }) => Math.max(a, weight), 0);
  return {
    cells: cells.map((cell) => ({ ...cell, weight: Math.sqrt(cell.weight / most) })),
    blocks: BLOCKS,
    share: inside,
  };
}
