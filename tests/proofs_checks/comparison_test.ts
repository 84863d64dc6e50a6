import { assert, assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { comparisonTable } from "../../commands/compare_table.ts";
import { attention, type AttentionOptions, type AttentionResult, type Tensor, tensor } from "../../mod.ts";
import { DeviceLostError } from "../../kernels/errors.ts";
import { comparisonCsv } from "../../proofs_checks/comparison/csv.ts";
import { paretoFront, undominated } from "../../proofs_checks/comparison/front.ts";
import { measureComparison, measureComparisons } from "../../proofs_checks/comparison/measure.ts";
import { rankMethods } from "../../proofs_checks/comparison/ranks.ts";
import {
  type ComparisonPoint,
  type ComparisonReport,
  isMeasured,
} from "../../proofs_checks/comparison/report.ts";
import { operatorNorm } from "../../estimators/linear_algebra/operator_norm.ts";
import { timeInTurn, warmUp } from "../../proofs_checks/comparison/time_in_turn.ts";
import { makePage } from "../../proofs_checks/report/page.ts";
import { normals } from "../data.ts";

const input = {
  name: "small",
  description: `two heads of <b>"normal" values</b>`,
  query: tensor(normals(1, 2 * 300 * 8), [2, 300, 8]),
  key: tensor(normals(2, 2 * 300 * 8), [2, 300, 8]),
  value: tensor(normals(3, 2 * 300 * 4), [2, 300, 4]),
  scale: 0.3,
};
const quick = { device: "wasm", budgets: [16, 64], seeds: 2, repeat: 3 } as const;

/** `attention`, but "kdeformer" does what `refuse` does. */
function attendOr(refuse: () => never): typeof attention {
  return (query: Tensor, key: Tensor, value: Tensor, options: AttentionOptions = {}) =>
    // deno-lint-ignore require-await
    options.method === "kdeformer" ? (async () => refuse())() : attention(query, key, value, options);
}

Deno.test("paretoFront() keeps what no other point beats in both", () => {
  const front = (...points: [number, number][]) =>
    paretoFront(points.map(([seconds, error]) => ({ seconds, error })));
  assertEquals(front(), []);
  assertEquals(front([1, 1]), [true]);
  assertEquals(front([1, 3], [2, 2], [3, 1], [3, 3], [9, 0]), [true, true, true, false, true]);
  // Ties exclude nothing, in either coordinate.
  assertEquals(front([1, 1], [2, 1], [1, 2]), [true, true, true]);
  assertEquals(front([2, Infinity], [1, 5]), [false, true]);
});

Deno.test("paretoFront() agrees with its definition on random points", () => {
  const values = normals(5, 120),
    points = Array.from({ length: 60 }, (_, at) => ({
      seconds: Math.exp(values[2 * at]),
      error: Math.exp(values[2 * at + 1]),
    }));
  const front = paretoFront(points), kept = points.filter((_, at) => front[at]);
  // Sorted by time the front falls, and every other point is beaten by one of it.
  kept.sort((a, b) => a.seconds - b.seconds);
  assert(kept.every(({ error }, at) => at === 0 || error < kept[at - 1].error));
  for (const [at, { seconds, error }] of points.entries()) {
    assertEquals(kept.some((one) => one.seconds < seconds && one.error < error), !front[at]);
  }
});

Deno.test("undominated() keeps what is no worse in both and better in one, and of equal points all", () => {
  const kept = (...points: [number, number][]) =>
    undominated(points.map(([cost, error]) => ({ cost, error })));
  assertEquals(kept([1, 3], [2, 2], [2, 3], [3, 2], [3, 1]), [true, true, false, false, true]);
  assertEquals(kept([1, 1], [1, 1]), [true, true]);
  assertEquals(kept(), []);
});

Deno.test("rankMethods() ranks by error at the same input and budget, without what attended exactly or refused", () => {
  const point = (
    method: string,
    budget: number | null,
    error: number | null,
    more: Partial<ComparisonPoint> = {},
  ) =>
    ({
      ...{ method, ran: method, budget, bucket: 0, samples: 0, seconds: 1, all_seconds: [1], speedup: 4 },
      ...{ evaluations_per_query: budget === null ? 99 : 3 * budget, error, worst_error: error, errors: [] },
      ...{
        product_error: null,
        peak_bytes: null,
        front: false,
        front_of_evaluations: false,
        fell_back: null,
        refused: null,
      },
      ...more,
    }) as ComparisonPoint;
  const report = (...points: ComparisonPoint[]) => ({ points }) as unknown as ComparisonReport;
  const ranks = rankMethods([
    report(
      point("exact", null, 0),
      point("a", 8, 0.1, { front: true }),
      point("b", 8, 0.4),
      point("c", 8, 0.4, { speedup: 1 }),
      point("d", 8, 0, { ran: "exact" }),
      point("a", 16, null, { refused: "too small", ran: null }),
      point("b", 16, 0.2, { front_of_evaluations: true }),
    ),
    report(point("a", 8, 0.3), point("b", 8, 0.1)),
  ]);
  const found = Object.fromEntries(ranks.map((rank) => [rank.method, rank]));
  assertEquals(ranks.map(({ method }) => method), ["a", "b", "c", "d"]);
  assertEquals([found.a.mean_rank, found.b.mean_rank, found.c.mean_rank, found.d.mean_rank], [
    1.5,
    (2.5 + 1 + 1) / 3,
    2.5,
    null,
  ]);
  assertEquals([found.a.measured, found.a.refused, found.d.exact, found.b.best], [2, 1, 1, 2]);
  assertAlmostEquals(found.a.error_to_best!, Math.sqrt(3), 1e-12);
  assertAlmostEquals(found.b.error_to_best!, Math.cbrt(4), 1e-12);
  assertEquals([found.a.on_front, found.b.on_front_of_evaluations, found.c.speedup], [1, 1, 1]);
  assertEquals(found.b.evaluations_to_budget, 2);
});

Deno.test("measureComparisons() keeps what was measured before it was stopped", async () => {
  const controller = new AbortController(), other = { ...input, name: 'with "quotes", commas' };
  let finished = 0;
  const report = await measureComparisons([other, input], {
    ...{ ...quick, methods: ["calibrated"], signal: controller.signal },
    onProgress: (_, __, what) => {
      if (what.startsWith("small") && finished++ === 1) controller.abort(new Error("enough"));
    },
  });
  assertEquals([report.interrupted, report.comparisons.length, report.ranks.length], [true, 1, 1]);
  const lines = comparisonCsv(report.comparisons).trimEnd().split("\r\n");
  assertEquals(lines.length, 1 + 3);
  assert(
    lines.slice(1).every((line) => line.startsWith('"with ""quotes"", commas",300,300,8,4,2,false,wasm,')),
  );
  // Without anything measured there is nothing to keep.
  await assertRejects(
    () => measureComparisons([input], { ...quick, signal: controller.signal }),
    Error,
    "enough",
  );
});

Deno.test("errors are told against the mean value and against the product of norms", async () => {
  const report = await measureComparison(input, { ...quick, methods: ["calibrated"] });
  const again = await attention(input.query, input.key, input.value, {
    method: "exact",
    scale: input.scale,
    device: "reference",
  });
  const size = 300 * 4,
    means = [0, 1].map((head) => {
      const own = input.value.data.subarray(head * size, (head + 1) * size),
        exact = again.output.data.subarray(head * size, (head + 1) * size);
      const difference = Float64Array.from(exact, (x, at) => {
        let mean = 0;
        for (let row = 0; row < 300; row++) mean += own[row * 4 + at % 4] / 300;
        return mean - x;
      });
      return operatorNorm(difference, 300, 4) / operatorNorm(exact, 300, 4);
    });
  assertAlmostEquals(report.mean_value_error, Math.max(...means), 1e-4);
  // ‖Att‖ <= ‖P‖‖V‖.
  for (const { error, product_error: product } of report.points.slice(1)) {
    assert(product! > 0 && product! <= error!);
  }
  const causal = await measureComparison(input, { ...quick, methods: ["calibrated"], causal: true });
  assertEquals(causal.points[1].product_error, null);
});

Deno.test("timeInTurn() interleaves rounds there and back, and warmUp() runs at least once", async () => {
  const order: string[] = [];
  const run = (name: string, at: number) => (round: number) => {
    order.push(`${name}${round}`);
    return Promise.resolve(10 * at + round);
  };
  const rounds: number[] = [];
  const seconds = await timeInTurn([run("a", 0), run("b", 1)], 3, (round) => rounds.push(round));
  assertEquals(order, ["a0", "b0", "b1", "a1", "a2", "b2"]);
  assertEquals([seconds, rounds], [[[0, 1, 2], [10, 11, 12]], [0, 1, 2]]);
  let runs = 0;
  assertEquals(await warmUp(() => Promise.resolve(++runs), 0), 1);
});

Deno.test("measureComparison() measures every method at every budget against exact attention", async () => {
  const steps: number[] = [];
  const report = await measureComparison(input, {
    ...quick,
    methods: ["calibrated", "exact", "kdeformer-practical", "calibrated"],
    onProgress: (done, total) => steps.push(done / total),
  });
  assertEquals(report.points.map(({ method, budget }) => [method, budget]), [
    ["exact", null],
    ["calibrated", 16],
    ["calibrated", 64],
    ["kdeformer-practical", 16],
    ["kdeformer-practical", 64],
  ]);
  const [exact, ...others] = report.points;
  assertEquals([exact.error, exact.speedup, exact.front, exact.evaluations_per_query], [0, 1, true, 300]);
  for (const point of others) {
    assertEquals([point.all_seconds.length, point.errors.length, point.refused], [3, 2, null]);
    assertEquals([point.samples, point.bucket], [point.budget, point.budget! / 2]);
    assertEquals(point.worst_error, Math.max(...point.errors));
    assertAlmostEquals(point.speedup!, exact.seconds! / point.seconds!, 1e-12);
  }
  assertEquals(report.points.map(({ front }) => front), paretoFront(report.points.filter(isMeasured)));
  // More keys err less.
  const { n_q: queries, heads } = report.problem;
  assertEquals([queries, heads], [300, 2]);
  assert(others[3].error! < others[2].error!);
  assert(steps.every((share, at) => share <= 1 && (at === 0 || share >= steps[at - 1])));
  assertEquals(JSON.parse(JSON.stringify(report)), report);
});

Deno.test("what a method refuses is said in table and page, and fails nothing else", async () => {
  const attend = attendOr(() => {
    throw new RangeError("Cannot run kdeformer: <too large>");
  });
  const report = await measureComparison(input, { ...quick, methods: ["kdeformer", "calibrated"], attend });
  const refused = report.points.filter((point) => !isMeasured(point));
  assertEquals(refused.map(({ method, budget, seconds, front }) => [method, budget, seconds, front]), [
    ["kdeformer", 16, null, false],
    ["kdeformer", 64, null, false],
  ]);
  const table = comparisonTable(report);
  assertStringIncludes(table, "kdeformer at 16 refused: Cannot run kdeformer: <too large>");
  const page = await makePage({ comparison: report });
  assertStringIncludes(page, "Cannot run kdeformer: &lt;too large&gt;");
  assertStringIncludes(page, "two heads of &lt;b&gt;&quot;normal&quot; values&lt;/b&gt;");
  assertStringIncludes(page, "<h1>KDEformer: error against time</h1>");
  assert(!/<script|src=|@import|url\((?!#)/.test(page), "nothing is loaded or run");
  assertEquals([page.match(/class="wide"/g)!.length, page.match(/class="narrow"/g)!.length], [3, 3]);
  for (const word of ["time in ms", "calibrated", "exact"]) assertStringIncludes(page, `>${word}</text>`);
});

Deno.test("a page without a method that errs has the table alone", async () => {
  const report = await measureComparison(input, { ...quick, methods: ["exact"] });
  const page = await makePage({ comparison: report });
  assertStringIncludes(page, "<td>exact</td>");
  assert(!page.includes("<svg"));
});

Deno.test("measureComparison() passes on failures that are not about a method, and bad options", async () => {
  const lost = attendOr(() => {
    throw new DeviceLostError("Cannot go on: the device is gone");
  });
  await assertRejects(
    () => measureComparison(input, { ...quick, methods: ["kdeformer"], attend: lost }),
    DeviceLostError,
  );
  const signal = AbortSignal.abort(new Error("enough"));
  await assertRejects(() => measureComparison(input, { ...quick, signal }), Error, "enough");
  const never = (): Promise<AttentionResult> => Promise.reject(new Error("not to be reached"));
  for (
    const [options, message] of [
      [{ budgets: [64, 1] }, "every budget must be an integer from 2 to 2^53 − 1: current value is 1"],
      [{ seeds: 0 }, "seeds must be an integer from 1 to 2^53 − 1: current value is 0"],
      [{ repeat: 1.5 }, "repeat must be an integer from 1 to 2^53 − 1: current value is 1.5"],
      [{ methods: ["magic" as "auto"] }, "current value is magic"],
    ] as const
  ) {
    await assertRejects(
      () => measureComparison(input, { ...quick, ...options, attend: never }),
      RangeError,
      message,
    );
  }
  const short = { ...input, value: tensor(normals(3, 2 * 299 * 4), [2, 299, 4]) };
  await assertRejects(() => measureComparison(short, quick), TypeError, "value has 299 rows");
});
