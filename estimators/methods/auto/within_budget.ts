import type { Backend } from "../../../kernels/backend.ts";
import { fitsDevice, type Progress } from "../../core/head_chunks.ts";
import type { Problem } from "../../core/problem.ts";
import { calibrate } from "../calibrated/calibrated.ts";
import { type Budget, type CostedAttention, perQuery, shortenBudget } from "../method.ts";
import { attendExactly } from "../run_heads.ts";
import { type AnsweredHeads, joinAnswers } from "../shared/answered_heads.ts";
import { headsOf } from "../shared/some_heads.ts";
import { attendByTree, numbersOfTree } from "../tilted_tree/tilted_tree.ts";
import { planAuto, planOther } from "./auto_plan.ts";
import type { Answer } from "./improve_heads.ts";
import { routeHeads } from "./route_heads.ts";
import { costOfClusters, costOfOverlap, SampledRows, sharpBelow } from "../shared/row_overlap.ts";

/** A tree may take this share of the time of exact attention. */
const MOST_TREE = 0.9;
/** Rows that tell the error of a tree. */
const HELD_OUT = 12;
/** With shorter lists a tree is of no use. */
const LEAST_ENTRIES = 28;
/**
 * Where rows overlap less and look to clusters, a route to the keys of one errs less than a tree with lists of fewer entries, and a third to a half as much as a
 * coreset. It takes so many evaluations at least, and not more than a share of the budget to see (`docs/experiments.md`).
 */
const APART = { overlap: 0.03, entries: 55, least: 12, look: 1 / 10 } as const;

/**
 * Where a budget was given: all of it for a tree in heads whose queries look to keys of their own, where it pays for one, for a route to the keys of a cluster
 * where it does not and these lie apart, and for a coreset in the others.
 *
 * @param exactly The same problem as exact attention takes it.
 */
export async function attendWithinBudget(
  backend: Backend,
  problem: Problem,
  exactly: Problem,
  budget: Budget,
  progress: Progress,
): Promise<Answer> {
  const { budget: own, probes = 0 } = planAuto(problem, budget, true);
  if (!own || !fitsDevice(backend, problem, probes)) {
    return { name: "calibrated", result: await attendExactly(backend, exactly, progress) };
  }
  const { heads, queries, features, valueFeatures } = problem;
  const unit = features + valueFeatures, looked = costOfOverlap(problem) / unit;
  const searched = looked + costOfClusters(problem) / unit;
  const other = planOther(problem, budget, searched, HELD_OUT, LEAST_ENTRIES);
  const fits = other && other.total <= MOST_TREE && fitsDevice(backend, problem, numbersOfTree(other.plan));
  const tree = fits ? other.plan : undefined, given = perQuery(budget), each = searched / queries;
  const mayRoute = (tree?.entries ?? 0) < APART.entries && each <= APART.look * given &&
    given - each >= APART.least;
  if (!tree && !mayRoute) {
    return { name: "calibrated", result: await calibrate(backend, problem, own, progress) };
  }
  const sharp = tree ? sharpBelow(tree.entries) : 0, apart = mayRoute ? APART.overlap : 0;
  let spent = 0;
  const chosen = Array.from({ length: heads }, (_, head): AutoMethod => {
    const rows = new SampledRows(problem, head), overlap = rows.overlap();
    spent += overlap < apart ? searched : looked;
    if (overlap < apart && rows.looksToClusters()) return "routed";
    return overlap < sharp ? "tilted-tree" : "calibrated";
  });
  // Heads that were searched in vain may be among those of coresets.
  const left = shortenBudget(own, (spent > heads * looked ? searched : looked) / queries);
  const parts: (AnsweredHeads & { readonly name: AutoMethod })[] = [];
  for (const name of ["tilted-tree", "routed", "calibrated"] as const) {
    const own = chosen.flatMap((method, head) => method === name ? [head] : []);
    if (own.length > 0) {
      parts.push({ name, heads: own, result: await answer(name, headsOf(problem, own)) });
    }
  }
  const result = joinAnswers(problem, parts), keyEvaluations = result.keyEvaluations + Math.round(spent);
  const [most] = parts.toSorted((a, b) => b.heads.length - a.heads.length);
  return {
    name: most.name,
    result: { ...result, keyEvaluations, note: noteOf(parts, heads) ?? result.note },
  };

  function answer(name: AutoMethod, part: Problem): Promise<CostedAttention> {
    if (name === "tilted-tree") return attendByTree(backend, part, tree!, budget, progress);
    if (name === "routed") return routeHeads(backend, part, shortenBudget(budget, each), progress);
    return calibrate(backend, part, left, progress);
  }
}

type AutoMethod = "tilted-tree" | "routed" | "calibrated";

/** Which heads were answered otherwise than the others, and why. */
function noteOf(
  parts: readonly (AnsweredHeads & { readonly name: AutoMethod })[],
  heads: number,
): string | undefined {
  if (parts.length < 2) return undefined;
  return parts.filter(({ name }) => name !== "calibrated").map(({ name, heads: own }) =>
    `${name} in ${own.length} of ${heads} heads, whose queries look to keys of their own`
  ).join("; ");
}
