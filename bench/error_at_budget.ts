/** Error and time at equal budgets, on pretrained heads, word vectors and clusters, beside what others were recorded to err. */
import { openDevice } from "../mod.ts";
import { comparedInputs } from "./errors/inputs.ts";
import { compareInput, type Comparison, errorOf, METHODS, TIMED } from "./errors/measure.ts";
import { rivalTables } from "./errors/rival_tables.ts";
import { nameOf, settings } from "./errors/rivals.ts";
import { aims, losses, methodSummary } from "./errors/summary.ts";
import { digits, markdownTable, medianAndRange } from "./markdown.ts";

/** Everything that is said of one input at one budget. */
function inputTable(comparisons: readonly Comparison[]): string {
  return markdownTable(
    [
      "input",
      "budget",
      "auto",
      "took",
      "evaluations",
      "mean value",
      "published",
      "auto : published",
      "best rival that fits",
      "its error",
      "auto : it",
    ],
    comparisons.map((own) => [
      own.input,
      String(own.budget),
      medianAndRange(own.errors.auto),
      own.taken,
      digits(own.evaluations, 3),
      digits(own.meanValue),
      digits(own.published),
      digits(errorOf(own) / own.published),
      nameOf(own.rival),
      digits(own.rival.error),
      digits(errorOf(own) / own.rival.error),
    ]),
  );
}

/** The errors of all methods by name. */
function methodTable(comparisons: readonly Comparison[]): string {
  return markdownTable(
    ["input", "budget", ...METHODS, "time auto : practical"],
    comparisons.map(({ input, budget, errors, times }) => [
      input,
      String(budget),
      ...METHODS.map((method) => medianAndRange(errors[method])),
      medianAndRange(times[TIMED.indexOf("auto")]),
    ]),
  );
}

/** The section. */
export async function errorAtBudget([seeds = 5, rounds = 11]: readonly number[]): Promise<string> {
  using device = await openDevice({ prefer: "wasm" });
  const found: Comparison[] = [];
  for await (const head of comparedInputs()) {
    found.push(...await compareInput(head, seeds, rounds, device));
  }
  const most = Math.max(...found.map(({ evaluations, budget }) => evaluations / budget));
  const figures = settings.reduce((sum, { runs }) => sum + Object.keys(runs).length, 0);
  return [
    "‖Att~ − Att‖ / ‖Att‖ in operator norm with a `budget` of key evaluations for each query: all heads of the " +
    "sentence encoder, GloVe, two heads of the OCR model and clusters that queries and keys share; medians over " +
    `${seeds} seeds. Times are from the checked input to the output on the host, ${rounds} interleaved rounds on ` +
    'WebAssembly, ratios round by round. "published" is the authors\' code with a third of the budget in the block ' +
    "and two thirds sampled: recorded, on clusters run here in float64 (`peers/published_kdeformer.ts`). Others' " +
    `errors, ${figures} figures of ${new Set(settings.map(({ implementation }) => implementation)).size} ` +
    "implementations, are recorded in `rival_errors.json` and `peer_errors.json`, with origin, options, changes and " +
    "faults, and were not measured in this run; inputs are checked to be the same to the bit.",
    "**What is counted.** Ours: `stats.keyEvaluations`, with all preparation, products of clustering and rows " +
    `computed exactly; of \`auto\` at most ${
      digits(100 * most, 4)
    } per cent of the budget. Theirs: keys, centroids or features ` +
    "that an answer takes, and all that was computed before, divided by the number of queries: exact rows, features " +
    "of keys, clustering, halving, hash tables; an inner product counts as one evaluation. On neither side are " +
    "counted the hyperplanes of one hash, sorting, and solving least squares, which is in others' favour. A rival " +
    "fits a budget if its whole cost does; the mean value costs nothing. Whoever looks at all keys to find the heaviest (oracles, vAttention) never " +
    "does and stands apart, as does what answers another problem (Reformer with keys := queries).",
    "What was aimed at:",
    aims(found),
    "Where `auto` errs more than 5 per cent more than a rival that fits:",
    losses(found, ({ rival }) => rival),
    "The same counted in units of d + d_v multiply-adds, in which an inner product alone costs about half, and " +
    "with the linear function of a coreset, d·d_v/(d + d_v) units, which `keyEvaluations` leaves out: rivals that " +
    "take no more than the budget, or than `auto` does:",
    losses(found, ({ rivalByMultiplyAdds }) => rivalByMultiplyAdds),
    "Over all inputs, median and range:",
    methodSummary(found),
    "Each input; evaluations for each query with all preparation, the most over the seeds:",
    inputTable(found),
    "Methods by name, with the same budget:",
    methodTable(found),
    "All rivals on the inputs that they ran on. Bold: less than `auto` errs with that budget by more than 5 per cent; †: " +
    "the whole cost fits the budget. Settings whose answers alone take more than the largest budget are left out. " +
    "Last come those whose preparation is not counted.",
    ...rivalTables(found),
  ].join("\n\n");
}
