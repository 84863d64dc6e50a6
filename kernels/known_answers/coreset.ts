import type { Backend, DeviceArray } from "../backend.ts";
import type { FittedSlope } from "../coreset_primitives.ts";
import type { Arguments } from "../primitives.ts";
import type { Inputs } from "./inputs.ts";
import { knownAnswer, type KnownAnswers, type Size } from "./known_answer.ts";

/** Two probes judge, and two of those that points are fitted to count less. */
function fitOf({ probes, points }: Size) {
  return { probes, fitted: probes - 2, even: probes - 4, otherWeight: 0.25, most: points };
}

/** Points of each head: as many as there is room for, and one fewer in the last head. */
function clustersOf({ heads, points }: Size): Uint32Array {
  return Uint32Array.from({ length: heads }, (_, head) => head === heads - 1 ? points - 1 : points);
}

/** Keys, values and probes with their softmax rows, and clusters of the keys, of which no probe sees the first if it is `unseen`. */
function probed(inputs: Inputs, size: Size, unseen = false) {
  const { heads, keys, features, valueFeatures, probes } = size;
  const clusters = clustersOf(size), places = inputs.permutations(heads, keys);
  const labels = places.map((place, at) => Math.floor(place * clusters[Math.floor(at / keys)] / keys));
  const distributions = (rows: number) =>
    inputs.distributions(rows, keys).map((p, at) => {
      const head = Math.floor(at / (probes * keys));
      return unseen && labels[head * keys + at % keys] === 0 ? 0 : p;
    });
  return {
    heads,
    keys,
    features,
    valueFeatures,
    ...fitOf(size),
    scale: 0.5,
    key: inputs.floats(heads * keys * features),
    value: inputs.floats(heads * keys * valueFeatures),
    query: inputs.floats(heads * probes * features),
    probabilities: inputs.upload(distributions(heads * probes)),
    logSumExp: inputs.positive(heads * probes),
    labels: inputs.upload(labels),
    order: inputs.upload(inputs.inverses(places, heads, keys)),
    clusters: inputs.upload(clusters),
  };
}

/** Points of clusters; of one that no probe sees, keys count alike. */
const clusterPoints = (unseen: boolean) =>
  knownAnswer(
    "fitPoints",
    (inputs, size) => probed(inputs, size, unseen),
    ({ key, value, logMass, logits }) => [key, value, logMass, logits],
  );

/** Rows in clear clusters, one half of them cut, the other half descending the tree. */
const bisected = knownAnswer(
  "bisectRows",
  (inputs, { heads, queries, keys, features }) => {
    const clustered = (count: number) => {
      const centres = inputs.values(heads * 4 * features).map((x) => 8 * x);
      return inputs.values(heads * count * features).map((x, at) => {
        const row = Math.floor(at / features), head = Math.floor(row / count);
        return x + centres[(head * 4 + row % 4) * features + at % features];
      });
    };
    return {
      rows: inputs.upload(clustered(keys)),
      weights: inputs.positive(heads * keys),
      heads,
      count: keys,
      width: features,
      grownOn: Math.ceil(keys / 2),
      budget: 12 * keys,
      perCluster: keys,
      others: {
        rows: inputs.upload(clustered(queries)),
        count: queries,
        centre: inputs.floats(heads * features),
        scale: inputs.positive(heads),
        treeCentre: inputs.floats(heads * features),
      },
    };
  },
  ({ labels, clusters, products, others }) => [labels, clusters, products, others],
);

/**
 * Points with values that may be disturbed, and outputs of the undisturbed ones; but outputs of the probes that judge lie so
 * much nearer to the mean value.
 */
function calibrationProblem(
  inputs: Inputs,
  size: Size,
  disturbed: number,
  nearer: number,
): Arguments<"calibrateValues"> {
  const { heads, valueFeatures: width, probes, points: most } = size, { fitted } = fitOf(size);
  const clusters = clustersOf(size), logits = inputs.values(heads * probes * most).map((x) => 3 * x);
  const value = inputs.values(heads * most * width), output = new Float32Array(heads * probes * width);
  const mean = inputs.values(heads * width).map((x) => x / 8);
  for (let row = 0; row < heads * probes; row++) {
    const head = Math.floor(row / probes), own = clusters[head];
    const weights = logits.subarray(row * most, row * most + own).map(Math.exp);
    const total = weights.reduce((a, b) => a + b, 0), share = row % probes < fitted ? 1 : nearer;
    for (let at = 0; at < own * width; at++) {
      output[row * width + at % width] += share * weights[Math.floor(at / width)] / total *
        value[head * most * width + at];
    }
    for (let c = 0; c < width; c++) output[row * width + c] += (1 - share) * mean[head * width + c];
  }
  return {
    ...fitOf(size),
    heads,
    valueFeatures: width,
    logits: inputs.upload(logits),
    value: inputs.upload(value.map((x) => x + disturbed * inputs.integer(1000) / 1000)),
    clusters: inputs.upload(clusters),
    output: inputs.upload(output),
    mean: inputs.upload(mean),
    largestValue: 2,
  };
}

/** Values of points, corrected as the probes want. */
const calibrated = (disturbed: number, nearer: number) =>
  knownAnswer(
    "calibrateValues",
    (inputs, size) => calibrationProblem(inputs, size, disturbed, nearer),
    (values) => [values],
  );

/** Outputs that stray from the mean value to one side. */
const centred = knownAnswer(
  "fitCentre",
  (inputs, size) => {
    const { heads, valueFeatures, keys, probes } = size;
    return {
      ...probed(inputs, size),
      output: inputs.upload(inputs.values(heads * probes * valueFeatures).map((x) => 1 + x)),
      mean: inputs.upload(inputs.values(heads * valueFeatures).map((x) => x / 4)),
      sampled: Math.ceil(keys / 2),
      largestValue: 2,
    };
  },
  ({ key, value, logMass }) => [key, value, logMass],
);

/**
 * Outputs that leave something of what the function gives; either beside points of clusters and their outputs, or beside one
 * point that stands for all keys, whose value is the output.
 */
function slopeProblem(inputs: Inputs, size: Size, alone: boolean): Arguments<"fitSlope"> {
  const { heads, keys, features, valueFeatures: width, probes, points: most } = size;
  const { labels, ...given } = probed(inputs, size);
  // Values that go with the keys make a slope, and outputs that go with the queries want it.
  const key = inputs.values(heads * keys * features), query = inputs.values(heads * probes * features);
  const value = inputs.values(heads * keys * width).map((x, at) =>
    0.5 * x + key[Math.floor(at / width) * features + at % width % features]
  );
  const pointValue = inputs.values(heads * most * width).map((x) => x / 4);
  const approximate = inputs.values(heads * probes * width).map((x, at) =>
    alone ? pointValue[Math.floor(at / (probes * width)) * most * width + at % width] : x
  );
  const exact = approximate.map((x, at) =>
    x + 0.05 * query[Math.floor(at / width) * features + at % width % features]
  );
  return {
    ...given,
    ...(alone ? {} : { labels, approximate: inputs.upload(approximate) }),
    key: inputs.upload(key),
    value: inputs.upload(value),
    query: inputs.upload(query),
    points: {
      key: inputs.upload(inputs.values(heads * most * features).map((x) => x / 4)),
      value: inputs.upload(pointValue),
    },
    exact: inputs.upload(exact),
    sampled: Math.ceil(keys / 2),
    largestValue: 2,
  };
}

// The order of a slope's numbers is its device's own, which knows how to multiply with it.
function slopeOutputs(
  { slope, offset, output }: FittedSlope,
  given: Arguments<"fitSlope">,
  backend: Backend,
): DeviceArray[] {
  const rows = backend.addLinear({ ...given, slope, offset, count: given.probes, rows: given.exact });
  return [offset, output, rows];
}

/** Widths in whole fours, of which slopes lie the same way on every device. */
function linearProblem(inputs: Inputs, size: Size, sameRow: boolean): Arguments<"addLinear"> {
  const { heads, queries } = size;
  const features = 4 * Math.ceil(size.features / 4), valueFeatures = 4 * Math.ceil(size.valueFeatures / 4);
  return {
    heads,
    count: queries,
    features,
    valueFeatures,
    sameRow,
    rows: inputs.floats(heads * (sameRow ? 1 : queries) * valueFeatures),
    query: inputs.floats(heads * queries * features),
    slope: inputs.floats(heads * features * valueFeatures),
    offset: inputs.floats(heads * valueFeatures),
  };
}

/** Clusters of keys, the points that stand for them, and the linear function that these leave out. */
export const coresetAnswers = {
  bisectRows: [bisected],
  fitPoints: [clusterPoints(false), clusterPoints(true)],
  // Values that the correction helps; and right ones, of which judges want less, by not quite enough to be heard, and by enough.
  calibrateValues: [calibrated(0.5, 1), calibrated(0, 0.7), calibrated(0, 0.62)],
  fitCentre: [centred],
  addLinear: [
    knownAnswer("addLinear", (inputs, size) => linearProblem(inputs, size, false), (rows) => [rows]),
    knownAnswer(
      "addLinear",
      (inputs, size) => linearProblem(inputs, size, true),
      (rows) => [rows],
      ({ sameRow }) => sameRow === true,
    ),
  ],
  fitSlope: [
    knownAnswer("fitSlope", (inputs, size) => slopeProblem(inputs, size, false), slopeOutputs),
    knownAnswer(
      "fitSlope",
      (inputs, size) => slopeProblem(inputs, size, true),
      slopeOutputs,
      ({ labels }) => labels === undefined,
    ),
  ],
} satisfies KnownAnswers<
  "bisectRows" | "fitPoints" | "calibrateValues" | "fitCentre" | "addLinear" | "fitSlope"
>;
