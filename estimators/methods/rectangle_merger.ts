import { EMPTY, MASKED } from "../../kernels/backend.ts";
import type { HostAttention } from "../core/exact.ts";
import type { Problem } from "../core/problem.ts";
import type { Rectangle } from "./rectangles.ts";

/** Runs of queries of equal length: which head each is of, and where it begins. */
export interface QueryRuns {
  readonly members: readonly Pick<Rectangle, "head" | "firstQuery">[];
  readonly problem: Pick<Problem, "queries">;
}

/** Collects the results of rectangles, or of other runs of queries, into that of the whole problem. */
export class RectangleMerger {
  readonly #output: Float64Array;
  readonly #logSumExp: Float64Array;
  readonly #problem: Pick<Problem, "heads" | "queries" | "valueFeatures">;

  constructor(problem: Pick<Problem, "heads" | "queries" | "valueFeatures">) {
    const { heads, queries, valueFeatures } = problem;
    this.#problem = problem;
    this.#output = new Float64Array(heads * queries * valueFeatures);
    this.#logSumExp = new Float64Array(heads * queries).fill(EMPTY);
  }

  /** Merges the result of one group, [members, rows, …]. */
  add({ members, problem: { queries: rows } }: QueryRuns, part: HostAttention): void {
    const { queries, valueFeatures } = this.#problem;
    members.forEach(({ head, firstQuery }, at) => {
      for (let i = 0; i < rows; i++) {
        this.#mergeRow(head * queries + firstQuery + i, part, at * rows + i, valueFeatures);
      }
    });
  }

  #mergeRow(row: number, part: HostAttention, from: number, width: number): void {
    const before = this.#logSumExp[row], sum = part.logSumExp[from];
    if (sum <= MASKED) return;
    const largest = Math.max(before, sum);
    const own = Math.exp(sum - largest), total = Math.exp(before - largest) + own;
    for (let c = 0; c < width; c++) {
      const at = row * width + c;
      this.#output[at] += (own / total) * (part.output[from * width + c] - this.#output[at]);
    }
    this.#logSumExp[row] = largest + Math.log(total);
  }

  /** The merged result. */
  result(): HostAttention {
    return { output: Float32Array.from(this.#output), logSumExp: Float32Array.from(this.#logSumExp) };
  }
}
