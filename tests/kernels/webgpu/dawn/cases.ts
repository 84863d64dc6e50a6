import type { Backend } from "../../../../kernels/backend.ts";
import { attendCases } from "./attend_cases.ts";
import { type Case, count, floats, heads, words } from "./shapes.ts";

/** Widths of rows, in single floats and in vec4s, from one lane a row to as many as there can be. */
const WIDTHS = [1, 3, 4, 15, 16, 17, 64, 65, 100, 128, 256, 516, 1000, 2048, 5000];

/** More hyperplanes, and more queries, than one invocation takes at a time. */
const PROJECTIONS = 9, QUERIES = 13;

/** Work that takes every kernel in every shape that its code is written out for, and with every rule. */
export function everyCase(): Case[] {
  return [
    ...attendCases(),
    ...WIDTHS.map(rows),
    ...upTo(PROJECTIONS).map(hashes),
    ...upTo(QUERIES).map(samples),
    sorting,
    bisection,
    pairing,
    ...[7, 64, 100].map(coreset),
  ];
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, at) => at + 1);
}

function rows(width: number): Case {
  return (backend) => {
    const rows = floats(backend, heads, count, width), shape = { rows, heads, count, width };
    const centre = backend.columnMean(shape), index = words(backend, heads, count);
    backend.centreRows({ ...shape, centre });
    backend.gatherRows({ ...shape, index, picks: count });
    backend.sketchRows({ ...shape, signs: rows, folded: 4 });
    backend.innerProducts({ ...shape, directions: rows, projections: count });
    backend.gatheredDistances({ ...shape, query: rows, queries: count, index, picks: 1 });
    const part = { output: rows, logSumExp: floats(backend, heads, count) };
    backend.mergeAttention({ heads, queries: count, valueFeatures: width, first: part, second: part });
  };
}

function hashes(projections: number): Case {
  return (backend) => {
    const rows = floats(backend, heads, count, 7), hyperplanes = floats(backend, heads, projections, 7);
    backend.angularHash({ rows, hyperplanes, heads, count, width: 7, projections });
  };
}

function samples(queries: number): Case {
  return (backend) => {
    const key = floats(backend, heads, count, 8), query = floats(backend, heads, queries, 8);
    const shape = { heads, keys: count };
    const probabilities = backend.softmaxRows({ ...shape, query, key, queries, features: 8, scale: 1 });
    const importance = backend.keyImportance({
      ...shape,
      probabilities,
      probes: queries,
      value: key,
      centre: floats(backend, heads, 8),
      valueFeatures: 8,
      valueScale: 1,
      columnShare: 0.5,
      valueShare: 0.25,
      uniformShare: 0.25,
    });
    backend.sampleKeys({ ...shape, importance, samples: 4, seed: [1, 2], purpose: 3, firstStream: 0 });
  };
}

function sorting(backend: Backend): void {
  for (const buckets of [2, 2 ** 20]) {
    backend.sortByBucket({ ranks: words(backend, heads, count), heads, count, buckets });
  }
}

function bisection(backend: Backend): void {
  const rows = floats(backend, heads, count, 7), weights = floats(backend, heads, count);
  const centre = floats(backend, heads, 7),
    others = { rows, count, centre, treeCentre: centre, scale: floats(backend, heads) };
  backend.bisectRows({
    rows,
    weights,
    heads,
    count,
    width: 7,
    grownOn: 5,
    budget: 1000,
    perCluster: 10,
    others,
  });
}

function pairing(backend: Backend): void {
  const ranks = words(backend, heads, count), order = ranks;
  const shape = { heads, queries: count, keys: count, buckets: 2, mostQueries: 3, mostKeys: 3 };
  backend.pairBuckets({ ...shape, queryRanks: ranks, queryOrder: order, keyRanks: ranks, keyOrder: order });
}

function coreset(width: number): Case {
  return (backend) => {
    const probes = 5, fitted = 3, most = 4;
    const key = floats(backend, heads, count, width), query = floats(backend, heads, probes, width);
    const shape = {
      heads,
      keys: count,
      features: width,
      valueFeatures: width,
      scale: 1,
      key,
      value: key,
      query,
    };
    const exact = backend.attendProbes({ ...shape, queries: probes });
    const clusters = { labels: words(backend, heads, count), clusters: words(backend, heads) };
    const fit = { probes, fitted, even: 2, otherWeight: 0.5, most };
    const points = backend.fitPoints({
      ...shape,
      ...exact,
      ...clusters,
      ...fit,
      order: words(backend, heads, count),
    });
    const mean = floats(backend, heads, width);
    const values = {
      ...fit,
      ...points,
      ...clusters,
      output: exact.output,
      mean,
      heads,
      valueFeatures: width,
    };
    backend.calibrateValues({ ...values, largestValue: 1 });
    const slope = backend.fitSlope({
      ...shape,
      ...fit,
      ...clusters,
      probabilities: exact.probabilities,
      points,
      exact: exact.output,
      approximate: exact.output,
      sampled: 3,
      largestValue: 1,
    });
    backend.addLinear({ ...shape, ...slope, count: probes, rows: exact.output });
    const whole = { ...shape, ...fit, probabilities: exact.probabilities, sampled: 3, largestValue: 1 };
    const centre = backend.fitCentre({ ...whole, logSumExp: exact.logSumExp, output: exact.output, mean });
    const single = backend.fitSlope({ ...whole, points: centre, exact: exact.output });
    backend.addLinear({ ...shape, ...single, count: probes, rows: centre.value, sameRow: true });
  };
}
