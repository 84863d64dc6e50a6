import { EMPTY, MASKED } from "../../kernels/backend.ts";
import { ofHead } from "./of_head.ts";
import type { Problem } from "./problem.ts";
import { visibleKeys } from "./visible_pairs.ts";

/** Hidden keys are taken out where they are at least this share of all: to look at them costs more than to copy the others. */
const FAIR_SHARE = 0.25;
/** Heads go together if filling them up to the longest adds no more than this share of their keys. */
const FILLED = 0.25;

/**
 * Consecutive heads of a problem without the keys that its mask hides, where those are a fair share; undefined where they
 * are not. Under causal order only keys before the first and behind the last visible one go, since the places of others tell who
 * sees them.
 */
export function withoutHiddenKeys(problem: Problem): Problem[] | undefined {
  const { heads, keys, logWeights } = problem;
  if (!logWeights) return undefined;
  const spans = problem.causalOffset === undefined ? undefined : visibleSpan(problem);
  // Of a head that sees nothing one hidden key stays.
  const left = spans
    ? new Uint32Array(heads).fill(spans.end - spans.first)
    : visibleKeys(problem).map((count) => Math.max(1, count));
  if (left.reduce((sum, count) => sum + count, 0) > (1 - FAIR_SHARE) * heads * keys) return undefined;
  if (spans) return [cutKeys(problem, spans.first, spans.end)];
  return runsOfLikeLength(left, FILLED).map(([first, end]) => pack(problem, first, end, left));
}

/** Consecutive heads of a problem with a mask and no causal order, with as many visible keys each, and those keys alone. */
export function* visibleHeads(problem: Problem): Generator<{ first: number; part: Problem }> {
  const left = visibleKeys(problem);
  for (const [first, end] of runsOfLikeLength(left, 0)) {
    yield { first, part: pack(problem, first, end, left) };
  }
}

/** The first key that is visible in some head, and the place behind the last. */
function visibleSpan({ heads, keys, logWeights }: Problem): { first: number; end: number } {
  let first = keys, end = 0;
  for (let head = 0; head < heads; head++) {
    const mask = ofHead(logWeights!, head, heads);
    const isVisible = (weight: number) => weight > MASKED;
    first = Math.min(first, mask.findIndex(isVisible) >>> 0);
    end = Math.max(end, mask.findLastIndex(isVisible) + 1);
  }
  return end === 0 ? { first: 0, end: 1 } : { first, end };
}

/** [first, end) of consecutive heads which filling up to the longest adds no more than this share to. */
function runsOfLikeLength(lengths: Uint32Array, share: number): [first: number, end: number][] {
  const runs: [number, number][] = [];
  let first = 0, longest = 0, sum = 0;
  lengths.forEach((length, head) => {
    const most = Math.max(longest, length), filled = most * (head + 1 - first);
    if (head > first && filled > (1 + share) * (sum + length)) {
      runs.push([first, head]);
      first = head;
      longest = length;
      sum = length;
    } else {
      longest = most;
      sum += length;
    }
  });
  runs.push([first, lengths.length]);
  return runs;
}

/**
 * Heads [first, end) of a problem with a mask: their visible keys in front, of which each has as many as `lengths` says, filled up to the
 * longest with hidden ones, whose rows are 0.
 */
export function pack(problem: Problem, first: number, end: number, lengths: Uint32Array): Problem {
  const { keys, features, valueFeatures, logWeights } = problem, heads = end - first;
  const own = lengths.subarray(first, end), longest = own.reduce((a, b) => Math.max(a, b));
  const needsWeights = own.some((length, at) => length < longest || isBlind(problem, first + at)) ||
    hasWeights(problem);
  const weights = needsWeights ? new Float32Array(heads * longest).fill(EMPTY) : undefined;
  const key = new Float32Array(heads * longest * features);
  const value = new Float32Array(heads * longest * valueFeatures);
  for (let head = 0; head < heads; head++) {
    const from = (first + head) * keys;
    let to = head * longest;
    for (let start = from; start < from + keys; start++) {
      if (logWeights![start] <= MASKED) continue;
      let stop = start;
      while (stop < from + keys && logWeights![stop] > MASKED) stop++;
      key.set(problem.key.subarray(start * features, stop * features), to * features);
      value.set(problem.value.subarray(start * valueFeatures, stop * valueFeatures), to * valueFeatures);
      weights?.set(logWeights!.subarray(start, stop), to);
      to += stop - start;
      start = stop;
    }
  }
  return { ...ofHeads(problem, first, end), keys: longest, key, value, logWeights: weights };
}

/** Whether a head sees no key. */
function isBlind({ heads, logWeights }: Problem, head: number): boolean {
  return ofHead(logWeights!, head, heads).every((weight) => weight <= MASKED);
}

/** Whether visible keys have weights of their own. */
function hasWeights({ logWeights }: Problem): boolean {
  return logWeights!.some((weight) => weight > MASKED && weight !== 0);
}

/** The keys [first, end) of all heads. */
function cutKeys(problem: Problem, first: number, end: number): Problem {
  const { heads, keys, features, valueFeatures, logWeights, causalOffset } = problem;
  const cut = (data: Float32Array, width: number) => {
    const part = new Float32Array(heads * (end - first) * width);
    for (let head = 0; head < heads; head++) {
      const rows = data.subarray((head * keys + first) * width, (head * keys + end) * width);
      part.set(rows, head * rows.length);
    }
    return part;
  };
  return {
    ...problem,
    keys: end - first,
    key: cut(problem.key, features),
    value: cut(problem.value, valueFeatures),
    logWeights: cut(logWeights!, 1),
    causalOffset: causalOffset! - first,
  };
}

/** The queries of heads [first, end), with all that is the same for every head. */
function ofHeads(problem: Problem, first: number, end: number): Problem {
  const { queries, features } = problem;
  const query = problem.query.subarray(first * queries * features, end * queries * features);
  return { ...problem, heads: end - first, query };
}
