/** The paper's own experiment on word vectors: errors of all methods beside the published one, at budgets from 64 to 4,096 samples. */
import { openDevice, tensor } from "../mod.ts";
import { methods } from "../estimators/methods/methods.ts";
import { measureComparisons } from "../proofs_checks/comparison/measure.ts";
import { type ComparisonPoint, isMeasured } from "../proofs_checks/comparison/report.ts";
import { relativeOutputError } from "../proofs_checks/measures/spectral.ts";
import { attention } from "../mod.ts";
import { loadWorkload } from "../workloads/workloads.ts";
import { digits, markdownTable, median } from "./markdown.ts";
import { publishedKdeformer } from "./peers/published_kdeformer.ts";
import { tell } from "./timing.ts";

/** f: so many samples, and half as many keys in the block of each query. */
const BUDGETS = [64, 128, 256, 512, 1024, 2048, 4096];

/** Without the forms that prepare as they were published, which takes minutes a run here and many times the smaller budgets. */
const COMPARED = methods.filter((name) => !name.endsWith("-published"));

/** The section. */
export async function paper([seeds = 3, n = 8192]: readonly number[]): Promise<string> {
  using device = await openDevice({ prefer: "wasm" });
  const input = await loadWorkload("glove-shared", { n }), { query, key, value, scale } = input;
  const exact = (await attention(query, key, value, { scale, device, method: "exact" })).output;
  const published = BUDGETS.map((budget) => {
    const errors: number[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      const output = publishedKdeformer(input, { bucketSize: budget / 2, samples: budget }, seed);
      errors.push(relativeOutputError(tensor(output, exact.shape), exact)[0]);
    }
    tell(`published, f = ${budget}: ${digits(median(errors))}`);
    return median(errors);
  });
  const { comparisons: [{ points, mean_value_error: meanValue }] } = await measureComparisons([input], {
    ...{ methods: COMPARED, budgets: BUDGETS, seeds, device },
    onProgress: (done, total, what) => tell(`${done} of ${total}: ${what}`),
  });
  const compared = [...new Set(points.filter(({ budget }) => budget !== null).map(({ method }) => method))];
  const cell = (method: string, budget: number) => {
    const point = points.find((point) => point.method === method && point.budget === budget)!;
    return isMeasured(point) ? describe(point) : "refused";
  };
  return [
    `GloVe word vectors in file order, n = ${n}, d = 100: queries are the keys, both divided by 10^(1/4), at scale 1, and the next ${n} rows ` +
    `are the values. ‖Att~ − Att‖ / ‖Att‖ in operator norm, medians over ${seeds} seeds, or those that fit two seconds of a method, for f samples and f/2 keys in the block of each ` +
    `query, or 1.5 f evaluations for each query in all. "published" is the authors' code, run here in float64. The mean value errs ` +
    `${
      digits(meanValue)
    }. In brackets: evaluations for each query over 1.5 f, where a method does not keep to its budget. ` +
    "`deno run -A cli.ts compare --workload glove-shared --budgets " +
    `${BUDGETS.join(",")} --report page.html\` draws it.`,
    markdownTable(
      ["f", ...BUDGETS.map(String)],
      [
        ["published", ...published.map((error) => digits(error))],
        ...compared.map((method) => [method, ...BUDGETS.map((budget) => cell(method, budget))]),
      ],
    ),
  ].join("\n\n");
}

/** How much more than its budget a method may take unremarked: budgets are whole numbers. */
const SPARE = 1.02;

function describe({ ran, error, budget, evaluations_per_query: evaluations }: ComparisonPoint): string {
  if (ran === "exact") return "exact";
  const share = evaluations! / (1.5 * budget!);
  return `${digits(error!)}${share > SPARE ? ` (${digits(share)})` : ""}`;
}
