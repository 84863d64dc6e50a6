import { digits, markdownTable, median, medianAndRange } from "../markdown.ts";
import { BUDGETS, type Comparison, errorOf, TIMED } from "./measure.ts";
import { SLACK } from "./rival_tables.ts";
import { type Figure, nameOf } from "./rivals.ts";

/** What was aimed at: the median of error(auto) : error(published) by budget, and the worst at each. */
const AIMS: Readonly<Record<number, number>> = { 96: 0.14, 192: 0.11, 384: 0.09 }, WORST_AIM = 0.35;

const toPublished = (own: Comparison) => errorOf(own) / own.published;
const toRival = (own: Comparison, rival: Figure) => errorOf(own) / rival.error;

/** What the section aims at, and whether it is met. */
export function aims(comparisons: readonly Comparison[]): string {
  const met = (holds: boolean) => holds ? "met" : "NOT met";
  const rows = BUDGETS.flatMap((budget) => {
    const all = comparisons.filter((own) => own.budget === budget);
    const peers = all.filter(({ group }) => group === "peers").map(toPublished);
    const clustered = all.filter(({ group }) => group === "clustered").map(toPublished);
    const rivals = all.map((own) => toRival(own, own.rival));
    const line = (
      what: string,
      aim: number,
      value: number,
      range: string,
    ) => [String(budget), what, `≤ ${digits(aim, 3)}`, range, met(value <= aim)];
    return [
      line(
        `median auto : published, ${peers.length} inputs`,
        AIMS[budget],
        median(peers),
        digits(median(peers)),
      ),
      line("worst of these", WORST_AIM, Math.max(...peers), digits(Math.max(...peers))),
      line("auto : published, clustered", 1, Math.max(...clustered), medianAndRange(clustered)),
      line(
        `auto : best rival that fits, ${rivals.length} inputs`,
        SLACK,
        Math.max(...rivals),
        medianAndRange(rivals),
      ),
    ];
  });
  return markdownTable(["budget", "ratio of errors", "aim", "measured", ""], rows);
}

/** Where `auto` errs more than a rival does. */
export function losses(
  comparisons: readonly Comparison[],
  rivalOf: (own: Comparison) => Figure,
): string {
  const rows = comparisons.flatMap((own) => {
    const rival = rivalOf(own);
    if (toRival(own, rival) <= SLACK) return [];
    const ratio = digits(toRival(own, rival));
    return [[
      own.input,
      String(own.budget),
      digits(errorOf(own)),
      own.taken,
      digits(rival.error),
      nameOf(rival),
      ratio,
    ]];
  });
  return rows.length === 0
    ? "None."
    : markdownTable(["input", "budget", "auto", "took", "rival", "which", "auto : rival"], rows);
}

/** Methods beside the published code, the best rival and in time. */
export function methodSummary(comparisons: readonly Comparison[]): string {
  const rows = BUDGETS.flatMap((budget) =>
    TIMED.map((method, at) => {
      const all = comparisons.filter((own) => own.budget === budget);
      const ratios = (against: (own: Comparison) => number) =>
        medianAndRange(all.map((own) => median(own.errors[method]) / against(own)));
      return [
        String(budget),
        method,
        ratios(({ published }) => published),
        ratios(({ rival }) => rival.error),
        medianAndRange(all.map(({ times }) => median(times[at]))),
      ];
    })
  );
  return markdownTable(
    ["budget", "method", "error : published", "error : best rival that fits", "time : kdeformer-practical"],
    rows,
  );
}
