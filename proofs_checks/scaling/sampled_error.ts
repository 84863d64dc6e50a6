import { exactAttention } from "../../estimators/core/exact.ts";
import { makeProblem } from "../../estimators/core/problem.ts";
import { operatorNorm } from "../../estimators/linear_algebra/operator_norm.ts";
import { type Device, runJob } from "../../kernels/device.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { tensor } from "../../kernels/tensor.ts";
import type { AttentionInput } from "../inputs/family.ts";

const ROWS = 128;

/** Rows of an input computed exactly, at a cost linear in n, and what they say of outputs. */
export class SampledRows {
  readonly #index: Uint32Array;
  readonly #exact: Float32Array;
  readonly #width: number;
  readonly #valueNorm: number;

  private constructor(index: Uint32Array, exact: Float32Array, width: number, valueNorm: number) {
    this.#index = index;
    this.#exact = exact;
    this.#width = width;
    this.#valueNorm = valueNorm;
  }

  /** Draws the rows and computes them. */
  static async draw(
    device: Device,
    { query, key, value, scale }: AttentionInput,
    seed: number,
  ): Promise<SampledRows> {
    const [, queries, features] = query.shape, count = Math.min(ROWS, queries);
    const index = new RandomStream(seed, Purpose.sampledRows).distinct(count, queries);
    const rows = new Float32Array(count * features);
    index.forEach((row, at) =>
      rows.set(query.data.subarray(row * features, (row + 1) * features), at * features)
    );
    const problem = makeProblem(tensor(rows, [1, count, features]), key, value, { scale });
    const { output } = await runJob(device, (backend) => exactAttention(backend, problem));
    const [, keys, width] = value.shape;
    return new SampledRows(index, output, width, operatorNorm(value.data, keys, width));
  }

  /** Errors of an output [queries, valueFeatures] on these rows. */
  errors(output: Float32Array): { error: number; "error_output": number } {
    const width = this.#width, count = this.#index.length, queries = output.length / width;
    const difference = new Float64Array(count * width);
    this.#index.forEach((row, at) => {
      for (let c = 0; c < width; c++) {
        difference[at * width + c] = output[row * width + c] - this.#exact[at * width + c];
      }
    });
    const norm = operatorNorm(difference, count, width);
    return {
      error: Math.sqrt(queries / count) * norm / this.#valueNorm,
      "error_output": norm === 0 ? 0 : norm / operatorNorm(this.#exact, count, width),
    };
  }
}
