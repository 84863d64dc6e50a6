import type { Backend } from "./backend.ts";
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
  const names = ["attend", "hash and sort", "sampling", "merged estimate", "probabilities"];
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
  const shape = { heads, queries, keys, features, valueFeatures };
  const query = normal(heads * queries * features);
  const key = normal(heads * keys * features);
  const raw = normal(heads * keys * valueFeatures);
  const hyperplanes = normal(heads * 4 * features);
  const scale = 0.7;

  const mean = backend.columnMean({ rows: raw, heads, count: keys, width: valueFeatures });
  const value = backend.centreRows({ rows: raw, centre: mean, heads, count: keys, width: valueFeatures });
  const exact = backend.attend({
    ...shape,
    query,
    key,
    value: raw,
    scale,
    causal: { period: 37, offset: 16 },
  });

  const hash = { hyperplanes, heads, width: features, projections: 4 };
  const queryRanks = backend.angularHash({ ...hash, rows: query, count: queries });
  const keyRanks = backend.angularHash({ ...hash, rows: key, count: keys });
  const { order } = backend.sortByBucket({ ranks: queryRanks, heads, count: queries, buckets: 16 });
  const byKey = backend.sortByBucket({ ranks: keyRanks, heads, count: keys, buckets: 16 });
  const gather = (rows: typeof key, index: typeof order, count: number, width: number, picks: number) =>
    backend.gatherRows({ rows, index, heads, count, width, picks });
  const sortedQuery = gather(query, order, queries, features, queries);
  const near = backend.attend({
    ...shape,
    query: sortedQuery,
    key: gather(key, byKey.order, keys, features, keys),
    value: gather(value, byKey.order, keys, valueFeatures, keys),
    scale,
    blocks,
  });

  const probabilities = backend.softmaxRows({ query, key, heads, queries, keys, features, scale });
  const importance = backend.keyImportance({
    ...shape,
    probabilities,
    probes: queries,
    value,
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
  const keyBlocks = backend.blocksOf({
    position: byKey.position,
    index,
    heads,
    count: keys,
    picks: samples,
    blocks,
  });
  const far = backend.attend({
    ...shape,
    keys: samples,
    query: sortedQuery,
    key: gather(key, index, keys, features, samples),
    value: gather(value, index, keys, valueFeatures, samples),
    scale,
    logWeights: logWeight,
    exclude: { keyBlocks, blocks },
  });
  const merged = backend.mergeAttention({ ...shape, first: near, second: far, order, shift: mean });
  return backend.run([exact.output, byKey.order, logWeight, merged.output, probabilities]);
}
