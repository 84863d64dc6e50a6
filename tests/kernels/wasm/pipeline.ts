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

/** Primitives that follow one another in one program, as an estimator chains them; returns all that is worth comparing. */
export async function runPipeline(backend: Backend): Promise<(Float32Array | Uint32Array)[]> {
  const heads = 2, queries = 331, keys = 297, features = 19, valueFeatures = 13, blocks = 11, samples = 23;
  const projections = 7, buckets = 2 ** projections, scale = 0.4;
  const query = backend.upload(normals(1, heads * queries * features));
  const key = backend.upload(normals(2, heads * keys * features));
  const value = backend.upload(normals(3, heads * keys * valueFeatures));
  const hyperplanes = backend.upload(normals(4, heads * projections * features));
  const shape = { heads, queries, keys, features, valueFeatures, scale, query, key, value };

  const mean = backend.columnMean({ rows: value, heads, count: keys, width: valueFeatures });
  const shift = backend.columnMean({ rows: key, heads, count: keys, width: features });
  const hash = { shift, hyperplanes, heads, width: features, projections };
  const queryRanks = backend.angularHash({ ...hash, rows: query, count: queries });
  const keyRanks = backend.angularHash({ ...hash, rows: key, count: keys });
  const byQuery = backend.sortByBucket({ ranks: queryRanks, heads, count: queries, buckets });
  const byKey = backend.sortByBucket({ ranks: keyRanks, heads, count: keys, buckets });

  const probes = 9, rows = Uint32Array.from({ length: heads * probes }, (_, at) => (at * 37) % queries);
  const index = backend.upload(rows);
  const probabilities = backend.softmaxRows({
    ...shape,
    query: backend.gatherRows({ rows: query, index, heads, count: queries, width: features, picks: probes }),
    queries: probes,
  });
  const importance = backend.keyImportance({
    ...shape,
    probabilities,
    probes,
    centre: mean,
    valueScale: 0.5,
    columnShare: 0.5,
    valueShare: 0.3,
    uniformShare: 0.2,
  });
  const seed = seedWords(11), purpose = Purpose.samples;
  const sampled = backend.sampleKeys({ importance, heads, keys, samples, seed, purpose, firstStream: 3 });
  const orders = { queryOrder: byQuery.order, keyOrder: byKey.order };
  const estimate = backend.attend({
    ...shape,
    ...orders,
    blocks,
    samples: { count: samples, ...sampled, logWeights: sampled.logWeight, position: byKey.position },
  });
  const exact = backend.attend({
    ...shape,
    causal: { period: queries, offset: -20 },
  });
  const merged = backend.mergeAttention({ ...shape, first: exact, second: estimate });
  const result = await backend.run([
    estimate.output,
    estimate.logSumExp,
    merged.output,
    merged.logSumExp,
    exact.output,
    exact.logSumExp,
    probabilities,
    importance,
    sampled.index,
    sampled.logWeight,
    byQuery.order,
    byKey.position,
    mean,
  ]);
  backend.reset();
  return result;
}
