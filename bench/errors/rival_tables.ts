import { digits, markdownTable } from "../markdown.ts";
import { BUDGETS, type Comparison, errorOf } from "./measure.ts";
import { type Figure, figureOf, nameOf, type Setting, settings, wholeCost } from "./rivals.ts";

/** Beyond this factor one error counts as larger than another. */
export const SLACK = 1.05;

/** The budget beside which a setting stands: the first that its answer alone takes no more than; undefined beyond the largest. */
export function budgetOf({ size, runs }: Setting): number | undefined {
  const answer = size ?? Math.max(...Object.values(runs).map(([evaluations]) => evaluations));
  return BUDGETS.find((budget) => answer <= budget);
}

/** A table for each budget of all rivals on the inputs that they ran on. */
export function rivalTables(comparisons: readonly Comparison[]): string[] {
  const inputs = [...new Set(settings.flatMap(({ runs }) => Object.keys(runs)))];
  return BUDGETS.flatMap((budget) => {
    const auto = new Map(
      comparisons.filter((own) => own.budget === budget).map((own) => [own.input, errorOf(own)]),
    );
    const rows = settings.filter((setting) => budgetOf(setting) === budget).map((setting) => {
      const figures = inputs.map((input) => figureOf(setting, input));
      const cells = figures.map((figure, at) => figure ? cellOf(figure, auto.get(inputs[at]), budget) : "");
      return { order: orderOf(setting, figures), cells: [...describe(setting, figures), ...cells] };
    }).sort((a, b) => a.order - b.order);
    const own = ["auto", "", `≤ ${budget}`, ...inputs.map((input) => digits(auto.get(input) ?? NaN))];
    return [
      `Answers of at most ${budget} evaluations for each query:`,
      markdownTable(["implementation", "options", "whole cost", ...inputs], [
        own,
        ...rows.map(({ cells }) => cells),
      ]),
    ];
  });
}

/** An error, bold where it is less than that of `auto`, with † where the whole cost fits the budget. */
function cellOf(figure: Figure, auto: number | undefined, budget: number): string {
  const error = digits(figure.error), less = auto !== undefined && auto > SLACK * figure.error;
  const fits = (wholeCost(figure) ?? Infinity) <= budget ? "†" : "";
  return (less && !figure.otherTarget ? `**${error}**` : error) + fits;
}

/** Name, options and whole cost. */
function describe(setting: Setting, figures: readonly (Figure | undefined)[]): string[] {
  const costs = costsOf(figures), least = Math.min(...costs), most = Math.max(...costs);
  const cost = costs.length === 0
    ? "not counted"
    : digits(least, 3) + (most > least ? `–${digits(most, 3)}` : "");
  const name = nameOf({ ...setting, variant: setting.variant ?? "" });
  return [setting.otherTarget ? `${name}, another problem` : name, setting.options, cost];
}

/** Cheapest first; then those of another problem, and those whose preparation is not counted. */
function orderOf({ otherTarget }: Setting, figures: readonly (Figure | undefined)[]): number {
  const costs = costsOf(figures);
  if (costs.length === 0) return Infinity;
  return (otherTarget ? 1e6 : 0) + Math.min(...costs);
}

function costsOf(figures: readonly (Figure | undefined)[]): number[] {
  return figures.flatMap((figure) => figure && wholeCost(figure) !== undefined ? [wholeCost(figure)!] : []);
}
