import type { Backend, DeviceArray } from "./backend.ts";
import { DeviceUnavailableError } from "./errors.ts";
import { Purpose, RandomStream, seedWords } from "./random.ts";
import { ReferenceBackend } from "./reference/backend.ts";

const heads = 2, queries = 37, keys = 53, features = 5, valueFeatures = 3, blocks = 4, samples = 11;

/**
 * Runs a small known-answer problem through every primitive of a backend and compares with the float64
 * reference. Drivers exist that return zeros without an error, so no device is trusted before this.
 *
 * @throws {DeviceUnavailableError} If an answer is off; the message names the primitive and the error.
 */
export async function selfTest(backend: Backend): Promise<void> {
  const names = [
    "attend",
    "hash and sort",
    "sampling",
    "probabilities",
    "blocks and samples",
    "merge",
    "merge",
  ];
  const expected = await knownAnswers(new ReferenceBackend());
  let actual: Awaited<ReturnType<typeof knownAnswers>>;
  try {
    actual = await knownAnswers(backend);
  } finally {
    backend.reset();
  }
  expected.forEach((values, part) => {
    for (let at = 0; at < values.length; at++) {
      const difference = Math.abs(values[at] - actual[part][at]);
      if (!(difference <= 1e-4 * Math.max(1, Math.abs(values[at])))) {
        throw new DeviceUnavailableError(
          `Cannot trust ${backend.kind} (${backend.adapter}): self test of ${names[part]} gave ` +
            `${actual[part][at]} at ${at} where ${values[at]} is right`,
        );
      }
    }
  });
}

function knownAnswers(backend: Backend): Promise<(Float32Array | Uint32Array)[]> {
  const stream = new RandomStream(2302, Purpose.data);
  const normal = (count: number) =>
    backend.upload(Float32Array.from({ length: count }, () => stream.normal()));
  const query = normal(heads * queries * features);
  const key = normal(heads * keys * features);
  const value = normal(heads * keys * valueFeatures);
  const hyperplanes = normal(heads * 4 * features);
  const shape = { heads, queries, keys, features, valueFeatures, scale: 0.7, query, key, value };

  const centre = backend.columnMean({ rows: value, heads, count: keys, width: valueFeatures });
  const exact = backend.attend({ ...shape, causal: { period: 37, offset: 16 } });

  const hash = { hyperplanes, heads, width: features, projections: 4 };
  const sort = (rows: DeviceArray, count: number) =>
    backend.sortByBucket({
      ranks: backend.angularHash({ ...hash, rows, count }),
      heads,
      count,
      buckets: 16,
    });
  const byQuery = sort(query, queries), byKey = sort(key, keys);
  const picked = backend.gatherRows({
    rows: query,
    index: byQuery.order,
    heads,
    count: queries,
    width: features,
    picks: queries,
  });
  const probabilities = backend.softmaxRows({ ...shape, query: picked });
  const importance = backend.keyImportance({
    ...shape,
    probabilities,
    probes: queries,
    centre,
    valueScale: 1,
    columnShare: 0.5,
    valueShare: 0.25,
    uniformShare: 0.25,
  });
  const { index, logWeight } = backend.sampleKeys({
    importance,
    heads,
    keys,
    samples,
    seed: seedWords(7),
    purpose: Purpose.samples,
    firstStream: 0,
  });
  const estimate = backend.attend({
    ...shape,
    blocks,
    queryOrder: byQuery.order,
    keyOrder: byKey.order,
    samples: { count: samples, index, logWeights: logWeight, position: byKey.position },
  });
  const merged = backend.mergeAttention({ ...shape, first: exact, second: estimate });
  return backend.run([
    exact.output,
    byKey.order,
    logWeight,
    probabilities,
    estimate.output,
    merged.output,
    merged.logSumExp,
  ]);
}
