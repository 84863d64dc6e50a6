/** Every method on every pretrained head and on word vectors: ranks, and where others err less than `auto` at the same budget. */
import { peakMemoryOf } from "../commands/peak_memory.ts";
import { writeWhole } from "../files/write_whole.ts";
import { type Device, openDevice } from "../mod.ts";
import { ourNames } from "../estimators/methods/methods.ts";
import { measureComparison, measureComparisons } from "../proofs_checks/comparison/measure.ts";
import { rankCells, rankColumns } from "../proofs_checks/comparison/rank_columns.ts";
import { rankMethods } from "../proofs_checks/comparison/ranks.ts";
import { type ComparisonReport, isMeasured, type MeasuredPoint } from "../proofs_checks/comparison/report.ts";
import type { NamedInput } from "../proofs_checks/inputs/family.ts";
import { loadWorkload } from "../workloads/workloads.ts";
import { oneHead, sentenceEncoderHeads } from "./heads.ts";
import { digits, markdownTable, medianAndRange } from "./markdown.ts";
import type { Standing } from "./standing.ts";
import { tell } from "./timing.ts";

const file = new URL("standing.json", import.meta.url);

const BUDGETS = [64, 128, 256], OCR_HEADS = 8;
/** A method keeps to a budget if it takes no more than this of it: budgets are whole numbers. */
const SPARE = 1.02;
/** Evaluations for each query that a budget of f allows. */
const PER_BUDGET = 1.5;
/** What memory is measured at. */
const MEMORY_BUDGET = 128;

async function* inputs(n: number): AsyncGenerator<NamedInput> {
  for await (const head of sentenceEncoderHeads(n)) yield { ...head, name: `sentence-encoder ${head.name}` };
  for (const layer of [1, 2]) {
    const all = await loadWorkload("ocr", { head: `${layer}.all` });
    for (let head = 0; head < OCR_HEADS; head++) {
      yield { ...oneHead(all, head), name: `ocr ${layer}.${head}` };
    }
  }
  yield await loadWorkload("glove", { n });
}

function keepsToBudget({ budget, evaluations_per_query: evaluations }: MeasuredPoint): boolean {
  return evaluations! <= SPARE * PER_BUDGET * budget!;
}

/** Where each method errs less than `auto`, both within the budget. */
function winsOver(comparisons: readonly ComparisonReport[]): Standing["wins"] {
  const wins: Record<string, { occasions: number; inputs: string[] }> = {};
  for (const comparison of comparisons) {
    for (const budget of BUDGETS) {
      const auto = bestOf(comparison, budget, (method) => method === "auto");
      if (!auto) continue;
      for (const point of comparison.points.filter(isMeasured)) {
        if (point.budget !== budget || point.ran === "exact" || point.method === "auto") continue;
        if (!keepsToBudget(point) || point.error >= auto.error) continue;
        const own = wins[point.method] ??= { occasions: 0, inputs: [] }, { workload } = comparison.problem;
        own.occasions++;
        if (!own.inputs.includes(workload)) own.inputs.push(workload);
      }
    }
  }
  return wins;
}

/** Memory of every method at the first head: growth of a process that attends once. */
async function measureMemory(n: number, device: Device): Promise<Standing["memory"]> {
  const head = await loadWorkload("sentence-encoder", { n, head: "1.0" });
  const { points } = await measureComparison(head, {
    ...{ budgets: [MEMORY_BUDGET], seeds: 1, repeat: 1, device, peakMemory: peakMemoryOf },
    onProgress: (_, __, what) => what.includes("memory") && tell(what),
  });
  const bytes = Object.fromEntries(points.map((point) => [point.method, point.peak_bytes ?? null]));
  return {
    input: `one head of ${n} queries and keys of ${head.query.shape[2]} features`,
    budget: MEMORY_BUDGET,
    bytes,
  };
}

/** The point of a budget with the least error among some methods; undefined if none approximates within the budget. */
function bestOf(
  { points }: ComparisonReport,
  budget: number,
  isMeant: (method: string) => boolean,
): MeasuredPoint | undefined {
  return points.filter((point) => point.budget === budget && point.ran !== "exact" && isMeant(point.method))
    .filter(isMeasured).filter(keepsToBudget)
    .reduce<MeasuredPoint | undefined>(
      (best, point) => !best || point.error < best.error ? point : best,
      undefined,
    );
}

const isOurs = (method: string) => method === "auto" || (ourNames as readonly string[]).includes(method);

/** The section. */
export async function rivals([seeds = 3, n = 4096]: readonly number[]): Promise<string> {
  using device = await openDevice({ prefer: "wasm" });
  const { comparisons, ranks } = await measureComparisons(inputs(n), {
    ...{ budgets: BUDGETS, seeds, device },
    onProgress: (done, total, what) => done === 0 && tell(`${what}, ${total} points`),
  });
  const duels = comparisons.flatMap((comparison) =>
    BUDGETS.flatMap((budget) => {
      const auto = bestOf(comparison, budget, (method) => method === "auto");
      const rival = bestOf(comparison, budget, (method) => !isOurs(method));
      return auto && rival ? [{ input: comparison.problem.workload, budget, auto, rival }] : [];
    })
  );
  const losses = duels.filter(({ auto, rival }) => auto.error > rival.error);
  const fair = rankMethods(comparisons.map((comparison) => ({
    ...comparison,
    points: comparison.points.filter((point) =>
      point.budget === null || point.ran === "exact" || !isMeasured(point) || keepsToBudget(point)
    ),
  })));
  const standing: Standing = {
    command: "deno task bench rivals",
    inputs: comparisons.length,
    budgets: BUDGETS,
    ranks,
    fair,
    duels: duels.length,
    losses: losses.length,
    wins: winsOver(comparisons),
    memory: await measureMemory(n, device),
  };
  await writeWhole(file.pathname, `${JSON.stringify(standing, null, 2)}\n`);
  return [
    `\`compare\` on all heads of the sentence encoder (n = ${n}) and of the OCR model (n = 512) and on GloVe (n = ${n}), on WebAssembly, with budgets of ` +
    `${
      BUDGETS.join(", ")
    }: f samples and f/2 keys in the block of each query, or 1.5 f key evaluations for each query in all. Errors are medians over ${seeds} ` +
    `seeds, fewer where a run takes seconds; times those of the same runs. Rank by error among the methods at the same input and budget; ` +
    `geometric means of ratios. "evaluations : budget" above 1: the method prepares beyond its budget, and its rank is no fair one.`,
    markdownTable(
      ["method", ...rankColumns.map(({ head }) => head)],
      ranks.map((rank) => [rank.method, ...rankCells(rank, digits)]),
    ),
    `\`auto\` beside the best method of others that keeps to the budget, ${duels.length} inputs and budgets: its error is ` +
    `${
      medianAndRange(duels.map(({ auto, rival }) => auto.error / rival.error))
    } times theirs, and their time ` +
    `${medianAndRange(duels.map(({ auto, rival }) => rival.seconds / auto.seconds))} times its. ` +
    (losses.length === 0 ? "It errs less everywhere." : `It errs more on ${losses.length}:`),
    ...losses.length === 0 ? [] : [
      markdownTable(
        ["input", "budget", "auto", "other", "its error", "auto : it"],
        losses.map(({ input, budget, auto, rival }) => [
          ...[input, String(budget), digits(auto.error), rival.method, digits(rival.error)],
          digits(auto.error / rival.error),
        ]),
      ),
    ],
  ].join("\n\n");
}
