import { assertEquals } from "@std/assert";
import { attendOn, checkAttend } from "../attend.ts";
import { onEachBackend } from "../backends.ts";
import { normals, permutations, wordsBelow } from "../data.ts";

type Shape = [heads: number, queries: number, keys: number, features: number, valueFeatures: number];

function problem(
  shape: Shape,
  { spread = 1, seed = 1, scale }: { spread?: number; seed?: number; scale?: number } = {},
) {
  const [heads, queries, keys, features, valueFeatures] = shape;
  return {
    heads,
    queries,
    keys,
    features,
    valueFeatures,
    query: normals(seed, heads * queries * features, spread),
    key: normals(seed + 1, heads * keys * features),
    value: normals(seed + 2, heads * keys * valueFeatures),
    scale: scale ?? 1 / Math.sqrt(features),
  };
}

const shapes: Shape[] = [
  [1, 1, 1, 1, 1],
  [1, 1, 5, 1, 2],
  [2, 7, 3, 3, 1],
  [1, 33, 65, 15, 15],
  [3, 50, 41, 16, 64],
  [1, 100, 257, 64, 64],
  [2, 190, 130, 100, 100],
  [1, 40, 77, 128, 30],
  [1, 21, 40, 64, 256],
  [1, 9, 600, 5, 7],
];

onEachBackend("attend() meets the precision rule on every shape", async (backend) => {
  for (const shape of shapes) await checkAttend(backend, problem(shape), `shape ${shape}`);
});

onEachBackend("attend() meets the precision rule at large logits", async (backend) => {
  for (const spread of [10, 100, 1e4]) {
    await checkAttend(backend, problem([1, 37, 91, 16, 8], { spread }), `spread ${spread}`);
  }
});

onEachBackend("attend() is right on zeros, duplicates and denormals", async (backend) => {
  const base = problem([1, 20, 45, 8, 4]);
  await checkAttend(backend, { ...base, query: base.query.map(() => 0) }, "zero queries");
  await checkAttend(
    backend,
    { ...base, key: base.key.map((_, at) => base.key[at % 8]) },
    "one key repeated",
  );
  await checkAttend(backend, { ...base, value: base.value.map(() => 0) }, "zero values");
  await checkAttend(backend, { ...base, query: base.query.map((x) => x * 1e-40) }, "denormal queries");
  await checkAttend(
    backend,
    { ...base, key: base.key.map((x, at) => at < 8 ? 1e3 * x : x) },
    "one huge key",
  );
});

onEachBackend("attend() hides the future", async (backend) => {
  for (const offset of [0, 9, -4, -30, 100]) {
    await checkAttend(
      backend,
      { ...problem([2, 24, 33, 16, 5]), causal: { period: 24, offset } },
      `offset ${offset}`,
    );
  }
  await checkAttend(
    backend,
    { ...problem([2, 60, 25, 16, 5]), causal: { period: 20, offset: 5 } },
    "three sequences",
  );
  await checkAttend(
    backend,
    { ...problem([1, 300, 300, 64, 64]), causal: { period: 300, offset: 0 } },
    "n = 300",
  );
});

onEachBackend("attend() adds the log-weights of keys and hides masked ones", async (backend) => {
  const base = problem([2, 30, 70, 15, 6]);
  const weights = normals(9, 140, 3);
  await checkAttend(backend, { ...base, logWeights: weights }, "log-weights");
  const masked = weights.map((w, at) => at % 3 === 0 ? -3e38 : w);
  await checkAttend(backend, { ...base, logWeights: masked }, "a third masked");
  await checkAttend(
    backend,
    { ...base, logWeights: masked, causal: { period: 30, offset: 2 } },
    "masked and causal",
  );
  await checkAttend(backend, { ...base, logWeights: weights.map(() => -3e38) }, "all masked");
});

onEachBackend(
  "attend() takes squared distances for logits, whatever rows have in common",
  async (backend) => {
    // Row widths with and without whole vectors; few, since each compiles a kernel of its own on WebGPU.
    for (const shape of [shapes[0], shapes[2], shapes[4], [1, 50, 257, 64, 1] as Shape]) {
      const near = { ...problem(shape), distances: true }, [, , , features] = shape;
      // So far from 0 that an inner product has no digit left for what is between the rows.
      const move = (rows: Float32Array) => rows.map((x, at) => x + 3e6 * Math.sin(at % features));
      const moved = { ...near, query: move(near.query), key: move(near.key) };
      for (const [what, args] of Object.entries({ near, moved })) {
        await checkAttend(backend, args, `shape ${shape}, ${what}`);
      }
    }
    const base = { ...problem([2, 60, 77, 9, 3]), distances: true };
    const exclude = { keyBlocks: wordsBelow(5, 2 * 77, 60), blocks: 60 };
    await checkAttend(
      backend,
      { ...base, exclude, logWeights: normals(6, 2 * 77, 2) },
      "excluding, weighted",
    );
    await checkAttend(backend, { ...base, causal: { period: 20, offset: 5 } }, "causal");
    await checkAttend(backend, { ...base, blocks: 7, keyOrder: permutations(6, 2, 77) }, "blocks in order");
    // A key that is the query is at distance 0 exactly: no rounding may bring it above.
    const rows = normals(3, 40 * 70, 1e5), alone = { ...problem([1, 40, 40, 70, 1]), query: rows, key: rows };
    const [, sums] = await attendOn(backend, { ...alone, scale: 1, distances: true });
    assertEquals(sums, new Float32Array(40));
  },
);

onEachBackend("attend() pairs blocks of any size", async (backend) => {
  for (
    const [queries, keys, blocks] of [[96, 96, 3], [100, 64, 7], [10, 50, 16], [50, 10, 16], [64, 64, 64], [
      65,
      129,
      2,
    ]]
  ) {
    await checkAttend(
      backend,
      { ...problem([2, queries, keys, 16, 9]), blocks },
      `${queries}, ${keys}, ${blocks}`,
    );
  }
});

onEachBackend("attend() hides keys from their own block", async (backend) => {
  for (const [queries, keys, blocks] of [[96, 30, 3], [101, 17, 7], [9, 40, 16], [64, 98, 64], [33, 5, 1]]) {
    const exclude = { keyBlocks: wordsBelow(5, 2 * keys, blocks), blocks };
    const args = { ...problem([2, queries, keys, 16, 9]), exclude };
    await checkAttend(backend, args, `${queries}, ${keys}, ${blocks}`);
    await checkAttend(
      backend,
      { ...args, logWeights: normals(6, 2 * keys, 2) },
      `weighted ${queries}, ${keys}`,
    );
  }
});

onEachBackend(
  "attend() follows the orders of queries and keys, and shows the samples of other blocks",
  async (backend) => {
    for (
      const [queries, keys, blocks, count, features, valueFeatures] of [
        [96, 96, 3, 10, 16, 9],
        [101, 64, 7, 150, 15, 15],
        [10, 50, 16, 3, 16, 9],
        [50, 10, 16, 10, 16, 9],
        [300, 290, 2, 33, 16, 9],
        [33, 5, 1, 4, 15, 15],
      ]
    ) {
      const args = problem([2, queries, keys, features, valueFeatures]);
      const queryOrder = permutations(7, 2, queries), keyOrder = permutations(8, 2, keys);
      const position = new Uint32Array(2 * keys);
      keyOrder.forEach((row, at) => position[at - at % keys + row] = at % keys);
      const samples = {
        count,
        index: wordsBelow(9, 2 * count, keys),
        logWeights: normals(10, 2 * count, 2),
        position,
      };
      const what = `${queries}, ${keys}, ${blocks}, ${count}`;
      await checkAttend(backend, { ...args, blocks, queryOrder, keyOrder }, `ordered ${what}`);
      await checkAttend(backend, { ...args, blocks, queryOrder, keyOrder, samples }, `sampled ${what}`);
      await checkAttend(backend, { ...args, blocks, keyOrder, samples }, `keys in order ${what}`);
      const exclude = { keyBlocks: wordsBelow(5, 2 * keys, blocks), blocks };
      await checkAttend(backend, { ...args, exclude, queryOrder }, `excluding ${what}`);
      const hidden = { ...samples, logWeights: samples.logWeights.map((w, at) => at % 2 ? w : -3e38) };
      await checkAttend(
        backend,
        { ...args, blocks, queryOrder, keyOrder, samples: hidden },
        `hidden ${what}`,
      );
    }
  },
);

onEachBackend("attend() gives the same bits every time", async (backend) => {
  const args = problem([2, 130, 260, 64, 64]);
  const first = await attendOn(backend, args);
  for (let repetition = 0; repetition < 20; repetition++) {
    const [output, logSumExp] = await attendOn(backend, args);
    assertEquals(output, first[0], `repetition ${repetition}`);
    assertEquals(logSumExp, first[1], `repetition ${repetition}`);
  }
});

/** Blocks of at most `mostQueries` queries, some of them empty, each with keys of its own choice. */
function randomBounds(heads: number, queries: number, keys: number, mostQueries: number, mostKeys: number) {
  const blocks = queries + 3, draw = wordsBelow(31, 3 * heads * blocks, 2 ** 20);
  const positions = new Uint32Array(4 * heads * blocks);
  for (let head = 0, at = 0; head < heads; head++) {
    for (let block = 0, query = 0; block < blocks; block++, at += 3) {
      // The first may be empty.
      const taken = Math.max(block < 3 ? 0 : 1, draw[at] % (mostQueries + 1));
      const end = Math.min(queries, query + taken), shown = 1 + draw[at + 1] % mostKeys;
      const key = draw[at + 2] % (keys - shown + 1);
      positions.set([query, end, key, key + shown], 4 * (head * blocks + block));
      query = end;
    }
  }
  return { blocks, bounds: { positions, mostQueries, mostKeys } };
}

onEachBackend("attend() takes blocks of any bounds", async (backend) => {
  for (
    const [queries, keys, mostQueries, mostKeys] of [
      [96, 96, 32, 40],
      [100, 64, 7, 64],
      [10, 50, 10, 1],
      [300, 700, 150, 130],
    ]
  ) {
    const heads = 2, what = `${queries}, ${keys}, ${mostQueries}, ${mostKeys}`;
    const base = problem([heads, queries, keys, 16, 9]);
    const args = { ...base, ...randomBounds(heads, queries, keys, mostQueries, mostKeys) };
    await checkAttend(backend, args, what);
    const queryOrder = permutations(32, heads, queries), keyOrder = permutations(33, heads, keys);
    await checkAttend(backend, { ...args, queryOrder, keyOrder }, `in order ${what}`);
    const logWeights = normals(34, heads * keys, 3).map((w, at) => at % 3 === 0 ? -3e38 : w);
    await checkAttend(backend, { ...args, queryOrder, keyOrder, logWeights }, `weighted ${what}`);
  }
});
