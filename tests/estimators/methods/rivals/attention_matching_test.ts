import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { exactAttention } from "../../../../estimators/core/exact.ts";
import { makeProblem, type Problem } from "../../../../estimators/core/problem.ts";
import {
  attendMatched,
  attentionMatching,
  attentionMatchingOmp,
} from "../../../../estimators/methods/rivals/attention_matching/attention_matching.ts";
import { boxedFit } from "../../../../estimators/methods/rivals/attention_matching/boxed_fit.ts";
import { leastSquares } from "../../../../estimators/methods/rivals/attention_matching/least_squares.ts";
import { NonNegativeFit } from "../../../../estimators/methods/rivals/attention_matching/nonnegative_fit.ts";
import { ReferenceBackend } from "../../../../kernels/reference/backend.ts";
import { Purpose, RandomStream } from "../../../../kernels/random.ts";
import { tensor } from "../../../../kernels/tensor.ts";
import { relativeOutputError } from "../../../../proofs_checks/measures/spectral.ts";
import { onEachBackend } from "../../../backends.ts";
import { normals } from "../../../data.ts";
import { largestDifference, largestMagnitude } from "../../../precision.ts";
import { assertTakesHardInputs, familyProblem } from "./hard_inputs.ts";

const choices = ["heaviest", "pursuit"] as const;
const methods = { "attention-matching": attentionMatching, "attention-matching-omp": attentionMatchingOmp };

function problemOf({ queries = 90, keys = 120, d = 4, dV = 3 }): Problem {
  const rows = (seed: number, count: number, width: number) =>
    tensor(normals(seed, count * width), [1, count, width]);
  return makeProblem(rows(1, queries, d), rows(2, keys, d), rows(3, keys, dV));
}

const errorOf = ({ outputShape: shape }: Problem, output: Float32Array, exact: Float32Array) =>
  relativeOutputError({ data: output, shape }, { data: exact, shape })[0];

/** Columns of positive numbers, some of them nearly made up by others, and a target. */
function fitting(seed: number, rows: number, count: number) {
  const columns = Array.from(
    { length: count },
    (_, s) => Float64Array.from(normals(seed + s, rows), (x) => Math.exp(x)),
  );
  return { columns, target: Float64Array.from(normals(seed - 1, rows), (x) => 3 + x) };
}

/** Products of the columns with what x leaves of the target. */
function slopes(columns: readonly Float64Array[], x: ArrayLike<number>, target: Float64Array): number[] {
  const rest = target.slice();
  columns.forEach((column, s) => column.forEach((own, row) => rest[row] -= x[s] * own));
  return columns.map((column) => column.reduce((sum, own, row) => sum + own * rest[row], 0));
}

Deno.test("masses that are never negative are the best of these: no change of any lessens the distance", () => {
  for (const [seed, rows, count] of [[10, 30, 12], [50, 20, 40], [100, 8, 5], [150, 60, 60]]) {
    const { columns, target } = fitting(seed, rows, count), fit = new NonNegativeFit(target, 0);
    for (const column of columns) {
      fit.add(column);
      fit.solve();
    }
    const size = Math.max(...slopes(columns, new Float64Array(count), target));
    slopes(columns, fit.x, target).forEach((slope, s) => {
      assert(fit.x[s] >= 0);
      assertLess(fit.x[s] > 0 ? Math.abs(slope) : slope, 1e-7 * size, `${rows} × ${count}, ${s}`);
    });
  }
});

Deno.test("masses within bounds are the best of these", () => {
  for (const [seed, rows, count] of [[10, 40, 12], [50, 30, 25]]) {
    const { columns, target } = fitting(seed, rows, count), bounds = { least: 0.01, most: 0.3 };
    const x = boxedFit(columns, target, bounds);
    const size = Math.max(...slopes(columns, new Float64Array(count), target));
    slopes(columns, x, target).forEach((slope, s) => {
      assert(x[s] >= bounds.least && x[s] <= bounds.most);
      if (x[s] > bounds.least) assertLess(-slope, 1e-3 * size);
      if (x[s] < bounds.most) assertLess(slope, 1e-3 * size);
    });
  }
});

Deno.test("least squares without a ridge leave nothing that columns could take, and are the shortest", () => {
  for (const [rows, count] of [[20, 7], [7, 20], [9, 9]]) {
    const { columns, target } = fitting(30, rows, count), x = leastSquares(columns, rows)(target);
    for (const slope of slopes(columns, x, target)) assertLess(Math.abs(slope), 1e-7);
    if (count <= rows) continue;
    // The shortest is made of rows: what is orthogonal to all rows is orthogonal to it.
    const random = Float64Array.from(normals(4, count));
    const within = leastSquares(columns, rows)(
      Float64Array.from(
        target,
        (_, row) => columns.reduce((sum, column, s) => sum + column[row] * random[s], 0),
      ),
    );
    const product = x.reduce((sum, own, s) => sum + own * (random[s] - within[s]), 0);
    assertLess(Math.abs(product), 1e-8);
  }
});

Deno.test("as published, reference rows are answered exactly when they are no more than keys; others are not", async () => {
  const problem = problemOf({}), backend = new ReferenceBackend(), { queries, valueFeatures } = problem;
  const exact = await exactAttention(backend, problem);
  for (const choice of choices) {
    const budget = { bucketSize: 1, samples: 0, seed: 3 }, rows = 12;
    const { output } = await attendMatched(backend, problem, budget, {
      choice,
      rows,
      kept: 20,
      published: true,
    });
    const drawn = new RandomStream(budget.seed, Purpose.coreset, 0).distinct(rows, queries),
      reference = new Set(drawn);
    let worst = 0;
    for (let row = 0; row < queries; row++) {
      const part = (data: Float32Array) => data.slice(row * valueFeatures, (row + 1) * valueFeatures);
      const difference = largestDifference(part(output), part(exact.output));
      if (reference.has(row)) assertLess(difference, 1e-4, `${choice}, ${row}`);
      else worst = Math.max(worst, difference);
    }
    assert(worst > 0.1, `${choice}: ${worst}`);
  }
});

Deno.test("bounds, ridge and clipping err less than the published fits where rows are few", async () => {
  const backend = new ReferenceBackend(), problem = problemOf({ queries: 400, keys: 400 });
  const exact = await exactAttention(backend, problem);
  for (const choice of choices) {
    const ratios: number[] = [];
    for (let seed = 0; seed < 5; seed++) {
      const budget = { bucketSize: 1, samples: 0, seed }, matching = { choice, rows: 20, kept: 40 };
      const own = await attendMatched(backend, problem, budget, matching);
      const theirs = await attendMatched(backend, problem, budget, { ...matching, published: true });
      ratios.push(errorOf(problem, own.output, exact.output) / errorOf(problem, theirs.output, exact.output));
    }
    assertLess(ratios.sort((a, b) => a - b)[2], 0.7, `${choice}: ${ratios}`);
  }
});

for (const [name, method] of Object.entries(methods)) {
  onEachBackend(`${name} gives the reference's result`, async (backend) => {
    for (const [n, queries] of [[700, 700], [513, 900]]) {
      const problem = familyProblem("clustered", { n, queries }),
        budget = { bucketSize: 24, samples: 40, seed: 3 };
      const actual = await method.attend(backend, problem, budget);
      backend.reset();
      const expected = await method.attend(new ReferenceBackend(), problem, budget);
      assertEquals(actual.keyEvaluations, expected.keyEvaluations);
      assertLess(largestDifference(actual.output, expected.output), 1e-2 * largestMagnitude(problem.value));
      assertLess(largestDifference(actual.logSumExp, expected.logSumExp), 1e-2);
    }
  });

  onEachBackend(
    `${name} takes hard inputs, and keeps to the range of the values`,
    (backend) => assertTakesHardInputs(method, backend, 0),
  );

  Deno.test(`${name} refuses a budget that has no row, and names the least`, async () => {
    const problem = problemOf({ queries: 10, keys: 95 }), budget = { bucketSize: 4, samples: 6, seed: 0 };
    assertEquals(
      method.refusal?.(problem, budget),
      `${name} takes a budget of at least 11 for 10 queries and 95 keys: current value is 10`,
    );
    const enough = { ...budget, samples: 7 };
    assertEquals(method.refusal?.(problem, enough), undefined);
    const { keyEvaluations } = await method.attend(new ReferenceBackend(), problem, enough);
    assertLessOrEqual(keyEvaluations, 110);
  });
}
