import { MASKED } from "../../kernels/backend.ts";
import type { Problem } from "../core/problem.ts";
import { visibleBefore } from "../core/visible_pairs.ts";

/**
 * Some queries of one head against some of its keys. Methods that need every key visible to every query reach causal
 * attention and key masks through a cover of the visible pairs by rectangles, whose results merge by log-sum-exp.
 */
export interface Rectangle {
  readonly head: number;
  readonly firstQuery: number;
  readonly endQuery: number;
  readonly firstKey: number;
  readonly endKey: number;
  /** Key firstKey + j is visible to query firstQuery + i only if j <= i; such a rectangle is attended exactly. */
  readonly triangular: boolean;
}

/** Shortest run of queries that causal halving cuts further, in units of the budget. */
export const LEAF_BUDGETS = 2;

/**
 * Covers the visible pairs of a problem. Without causal order that is one rectangle a head. Causal attention is
 * halved recursively (as in HyperAttention, Han et al., ICLR 2024): the later half of a run of queries sees all keys
 * of the earlier half, a rectangle, and each half goes on by itself until it is no longer than `leaf`; keys before
 * those of the first query are a rectangle of all queries.
 */
export function coverVisible(problem: Problem, leaf: number): Rectangle[] {
  const { heads, queries, keys, period, causalOffset } = problem;
  const cover: Rectangle[] = [];
  for (let head = 0; head < heads; head++) {
    if (causalOffset === undefined) {
      cover.push({ head, firstQuery: 0, endQuery: queries, firstKey: 0, endKey: keys, triangular: false });
      continue;
    }
    for (let sequence = 0; sequence < queries; sequence += period) {
      const add = (start: number, end: number, firstKey: number, endKey: number, triangular: boolean) =>
        cover.push({
          head,
          firstQuery: sequence + start,
          endQuery: sequence + end,
          firstKey,
          endKey,
          triangular,
        });
      if (causalOffset > 0) add(0, period, 0, causalOffset, false);
      const halve = (start: number, end: number) => {
        if (end - start <= leaf) return void add(start, end, causalOffset + start, causalOffset + end, true);
        // Cutting at a power of two times the leaf makes most rectangles equal, so that they run together.
        let half = leaf;
        while (2 * half < end - start) half *= 2;
        add(start + half, end, causalOffset + start, causalOffset + start + half, false);
        halve(start, start + half);
        halve(start + half, end);
      };
      halve(0, period);
    }
  }
  return cover;
}

/** A rectangle with the rows of the keys that its mask leaves. */
interface VisibleRectangle extends Rectangle {
  readonly keyRows: Uint32Array;
}

/** Rectangles of one form, as the heads of one problem. */
export interface RectangleGroup {
  readonly problem: Problem;
  readonly members: readonly VisibleRectangle[];
}

/** Groups rectangles of equal size, those with most pairs first. */
export function groupRectangles(
  problem: Problem,
  cover: readonly Rectangle[],
): (readonly VisibleRectangle[])[] {
  const groups = new Map<string, VisibleRectangle[]>();
  for (const rectangle of cover) {
    const keyRows = rowsOf(problem, rectangle);
    if (keyRows.length === 0) continue;
    const size = [rectangle.endQuery - rectangle.firstQuery, keyRows.length, rectangle.triangular].join();
    const members = groups.get(size) ?? [];
    groups.set(size, members);
    members.push({ ...rectangle, keyRows });
  }
  const pairs = ([{ firstQuery, endQuery, keyRows }]: VisibleRectangle[]) =>
    (endQuery - firstQuery) * keyRows.length;
  return [...groups.values()].sort((a, b) => pairs(b) - pairs(a));
}

/** Key rows of a rectangle; masked ones only stay where the causal order needs their places. */
function rowsOf(
  { keys, logWeights }: Problem,
  { head, firstKey, endKey, triangular }: Rectangle,
): Uint32Array {
  const rows: number[] = [];
  for (let j = firstKey; j < endKey; j++) {
    if (triangular || !logWeights || logWeights[head * keys + j] > MASKED) rows.push(j);
  }
  return Uint32Array.from(rows);
}

/** Copies the rows of rectangles of equal size together, one head a rectangle. */
export function stackRectangles(problem: Problem, members: readonly VisibleRectangle[]): RectangleGroup {
  return { members, problem: stack(problem, members) };
}

function stack(problem: Problem, members: readonly VisibleRectangle[]): Problem {
  const { queries, keys, features, valueFeatures, logWeights } = problem;
  const [{ firstQuery, endQuery, keyRows: { length }, triangular }] = members;
  const rows = endQuery - firstQuery;
  const copied = (
    count: number,
    width: number,
    copy: (member: VisibleRectangle, to: Float32Array) => void,
  ) => {
    const data = new Float32Array(members.length * count * width);
    members.forEach((member, at) =>
      copy(member, data.subarray(at * count * width, (at + 1) * count * width))
    );
    return data;
  };
  const gather = (from: Float32Array, width: number) =>
    copied(length, width, ({ head, keyRows }, to) =>
      keyRows.forEach((row, at) => {
        const start = (head * keys + row) * width;
        to.set(from.subarray(start, start + width), at * width);
      }));
  return {
    ...problem,
    heads: members.length,
    queries: rows,
    keys: length,
    period: rows,
    causalOffset: triangular ? 0 : undefined,
    query: copied(rows, features, ({ head, firstQuery }, to) => {
      const start = (head * queries + firstQuery) * features;
      to.set(problem.query.subarray(start, start + rows * features));
    }),
    key: gather(problem.key, features),
    value: gather(problem.value, valueFeatures),
    // Logits that all queries share are weights of keys that are seen; methods are never given such problems.
    logWeights: (triangular || problem.queryCentre) && logWeights ? gather(logWeights, 1) : undefined,
  };
}

/** How many rectangles of a size a cover has, as heads of one problem; under causal order a triangular one keeps hidden keys. */
export type CoveredSize = Pick<Problem, "heads" | "queries" | "keys"> & Pick<Rectangle, "triangular">;

/** The sizes of what `groupRectangles` makes of a cover, without making it. */
export function coveredSizes(problem: Problem, leaf: number): CoveredSize[] {
  const { heads, queries, keys, causalOffset, logWeights } = problem;
  if (causalOffset === undefined && !logWeights) return [{ heads, queries, keys, triangular: false }];
  const before = logWeights && visibleBefore(problem), counts = new Map<string, number>();
  for (const rectangle of coverVisible(problem, leaf)) {
    const { head, firstQuery, endQuery, firstKey, endKey, triangular } = rectangle, start = head * (keys + 1);
    const visible = before && !triangular
      ? before[start + endKey] - before[start + firstKey]
      : endKey - firstKey;
    const size = [endQuery - firstQuery, visible, Number(triangular)].join();
    if (visible > 0) counts.set(size, (counts.get(size) ?? 0) + 1);
  }
  return Array.from(counts, ([size, heads]) => {
    const [queries, keys, triangular] = size.split(",").map(Number);
    return { heads, queries, keys, triangular: triangular === 1 };
  });
}
