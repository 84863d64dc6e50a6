import type { Backend } from "../../kernels/backend.ts";
import type { Problem } from "../core/problem.ts";
import type { MatrixRows } from "../linear_algebra/gram_images.ts";
import { pickRows } from "../linear_algebra/pick_rows.ts";

/** Bytes of rows that the device computes at once. */
const CHUNK_BYTES = 2 ** 25;

/** Some rows of a softmax matrix, computed by the device and held in f32. */
export class SampledRows implements MatrixRows {
  readonly columns: number;
  readonly #chunks: readonly Float32Array[];
  readonly #perChunk: number;
  readonly #row: Float64Array;
  readonly rows: number;

  private constructor(chunks: readonly Float32Array[], perChunk: number, columns: number) {
    this.#chunks = chunks;
    this.#perChunk = perChunk;
    this.columns = columns;
    this.rows = chunks.reduce((sum, { length }) => sum + length / columns, 0);
    this.#row = new Float64Array(columns);
  }

  /**
   * Computes the rows of some queries.
   *
   * @param problem Of one head.
   */
  static async read(
    backend: Backend,
    problem: Problem,
    picks: Uint32Array,
    signal?: AbortSignal,
  ): Promise<SampledRows> {
    const { keys, features, scale, query, key } = problem, chunks: Float32Array[] = [];
    const bytes = Math.min(CHUNK_BYTES, backend.largestArrayBytes);
    const perChunk = Math.max(1, Math.floor(bytes / (4 * keys)));
    for (let first = 0; first < picks.length; first += perChunk) {
      const own = picks.subarray(first, first + perChunk);
      const rows = backend.softmaxRows({
        ...{ heads: 1, queries: own.length, keys, features, scale },
        query: backend.upload(pickRows(query, features, own)),
        key: backend.upload(key),
      });
      const [read] = await backend.run([rows], signal);
      // The device may use its memory again.
      chunks.push(Float32Array.from(read));
      backend.reset();
    }
    return new SampledRows(chunks, perChunk, keys);
  }

  row(i: number): Float64Array {
    const chunk = this.#chunks[Math.floor(i / this.#perChunk)], at = i % this.#perChunk;
    this.#row.set(chunk.subarray(at * this.columns, (at + 1) * this.columns));
    return this.#row;
  }
}
