import type { Backend } from "../../../kernels/backend.ts";
import { Purpose, seedWords } from "../../../kernels/random.ts";
import { openWasm, type WasmBackend, type WasmOptions } from "../../../kernels/wasm/backend.ts";
import { normals } from "../../data.ts";

/** Opens the backend for a test body and destroys it afterwards. */
export async function withWasm<T>(
  options: WasmOptions,
  body: (backend: WasmBackend) => Promise<T>,
): Promise<T> {
  const backend = await openWasm(options);
  try {
    return await body(backend);
  } finally {
    backend.destroy();
  }
}

/** Every primitive in one program, as an estimator would chain them; returns all that is worth comparing. */
export async function runPipeline(backend: Backend): Promise<(Float32Array | Uint32Array)[]> {
  const heads = 2, queries = 331, keys = 297, features = 19, valueFeatures = 13, blocks = 11, samples = 23;
  const projections = 7, buckets = 2 ** projections, scale = 0.4;
  const shape = { heads, queries, keys, features, valueFeatures, scale };
  const query = backend.upload(normals(1, heads * queries * features));
  const key = backend.upload(normals(2, heads * keys * features));
  const raw = backend.upload(normals(3, heads * keys * valueFeatures));
  const hyperplanes = backend.upload(normals(4, heads * projections * features));

  const mean = backend.columnMean({ rows: raw, heads, count: keys, width: valueFeatures });
  const value = backend.centreRows({ rows: raw, centre: mean, heads, count: keys, width: valueFeatures });
  const shift = backend.columnMean({ rows: key, heads, count: keys, width: features });
  const hash = { shift, hyperplanes, heads, width: features, projections };
  const queryRanks = backend.angularHash({ ...hash, rows: query, count: queries });
  const keyRanks = backend.angularHash({ ...hash, rows: key, count: keys });
  const byQuery = backend.sortByBucket({ ranks: queryRanks, heads, count: queries, buckets });
  const byKey = backend.sortByBucket({ ranks: keyRanks, heads, count: keys, buckets });
  const pick = (rows: typeof key, index: typeof keyRanks, count: number, width: number, picks: number) =>
    backend.gatherRows({ rows, index, heads, count, width, picks });
  const sortedQuery = pick(query, byQuery.order, queries, features, queries);
  const near = backend.attend({
    ...shape,
    query: sortedQuery,
    key: pick(key, byKey.order, keys, features, keys),
    value: pick(value, byKey.order, keys, valueFeatures, keys),
    blocks,
  });

  const probes = 9, rows = Uint32Array.from({ length: heads * probes }, (_, at) => (at * 37) % queries);
  const probabilities = backend.softmaxRows({
    query: pick(query, backend.upload(rows), queries, features, probes),
    key,
    heads,
    queries: probes,
    keys,
    features,
    scale,
  });
  const importance = backend.keyImportance({
    probabilities,
    probes,
    value,
    valueScale: 0.5,
    heads,
    keys,
    valueFeatures,
    columnShare: 0.5,
    valueShare: 0.3,
    uniformShare: 0.2,
  });
  const seed = seedWords(11), purpose = Purpose.samples;
  const sampled = backend.sampleKeys({ importance, heads, keys, samples, seed, purpose, firstStream: 3 });
  const keyBlocks = backend.blocksOf({
    position: byKey.position,
    index: sampled.index,
    heads,
    count: keys,
    picks: samples,
    blocks,
  });
  const far = backend.attend({
    ...shape,
    keys: samples,
    query: sortedQuery,
    key: pick(key, sampled.index, keys, features, samples),
    value: pick(value, sampled.index, keys, valueFeatures, samples),
    logWeights: sampled.logWeight,
    exclude: { keyBlocks, blocks },
  });
  const merged = backend.mergeAttention({
    ...shape,
    first: near,
    second: far,
    order: byQuery.order,
    shift: mean,
  });
  const exact = backend.attend({
    ...shape,
    query,
    key,
    value: raw,
    causal: { period: queries, offset: -20 },
  });
  const result = await backend.run([
    merged.output,
    merged.logSumExp,
    exact.output,
    exact.logSumExp,
    probabilities,
    importance,
    sampled.index,
    sampled.logWeight,
    keyBlocks,
    byQuery.order,
    byKey.position,
    mean,
  ]);
  backend.reset();
  return result;
}
