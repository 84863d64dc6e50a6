import { openWebGpu } from "../../../kernels/webgpu/backend.ts";
import { checkAttend, type HostAttend } from "../../attend.ts";
import { attendKernels, webgpuTest } from "../../backends.ts";
import { normals, permutations, wordsBelow } from "../../data.ts";

function problem(
  [heads, queries, keys, features, valueFeatures]: readonly number[],
  spread = 1,
): HostAttend {
  return {
    heads,
    queries,
    keys,
    features,
    valueFeatures,
    query: normals(1, heads * queries * features, spread),
    key: normals(2, heads * keys * features),
    value: normals(3, heads * keys * valueFeatures),
    scale: 1 / Math.sqrt(features),
  };
}

for (const attendKernel of attendKernels) {
  webgpuTest(`attend() with ${attendKernel} meets the precision rule on every shape`, async () => {
    const backend = await openWebGpu({ attendKernel });
    for (
      const shape of [
        [1, 1, 1, 1, 1],
        [2, 7, 3, 3, 1],
        [2, 70, 65, 15, 15],
        [1, 100, 257, 64, 64],
        [2, 190, 130, 100, 100],
        [1, 21, 40, 128, 132],
        [1, 5, 33, 256, 256],
      ]
    ) await checkAttend(backend, problem(shape), `${shape}`);
    for (const shape of [[2, 7, 3, 3, 1], [1, 70, 257, 64, 15]]) {
      await checkAttend(backend, { ...problem(shape, 10), distances: true }, `${shape}, distances`);
    }
    for (const spread of [100, 1e5]) {
      await checkAttend(backend, problem([1, 37, 91, 16, 8], spread), `${spread}`);
    }
    backend.destroy();
  });

  webgpuTest(`attend() with ${attendKernel} follows every rule of visibility at once`, async () => {
    const backend = await openWebGpu({ attendKernel });
    const base = problem([2, 150, 77, 16, 5]);
    const weights = normals(9, 2 * 77, 3), masked = weights.map((w, at) => at % 3 === 0 ? -3e38 : w);
    const exclude = { keyBlocks: wordsBelow(4, 2 * 77, 11), blocks: 11 };
    const causal = { period: 50, offset: 20 };
    await checkAttend(backend, { ...base, causal: { period: 150, offset: -30 } }, "causal");
    await checkAttend(backend, { ...base, causal }, "three sequences");
    await checkAttend(backend, { ...base, blocks: 7 }, "blocks");
    await checkAttend(backend, { ...base, blocks: 100 }, "more blocks than keys");
    await checkAttend(backend, { ...base, exclude, logWeights: weights }, "weighted and excluding");
    await checkAttend(backend, { ...base, exclude, logWeights: masked, causal, blocks: 3 }, "everything");
    await checkAttend(backend, { ...base, exclude, logWeights: masked, distances: true }, "distances");
    await checkAttend(backend, { ...base, logWeights: weights.map(() => -3e38) }, "all hidden");
    const orders = { queryOrder: permutations(5, 2, 150), keyOrder: permutations(6, 2, 77) };
    const position = permutations(7, 2, 77);
    for (const count of [5, 130]) {
      const samples = {
        count,
        index: wordsBelow(8, 2 * count, 77),
        logWeights: normals(9, 2 * count),
        position,
      };
      await checkAttend(backend, { ...base, ...orders, samples, blocks: 7 }, `${count} samples`);
      await checkAttend(
        backend,
        { ...base, ...orders, samples, blocks: 7, logWeights: masked },
        `${count} samples, masked`,
      );
    }
    backend.destroy();
  });

  webgpuTest(`attend() with ${attendKernel} is right for more keys than one dispatch may take`, async () => {
    const backend = await openWebGpu({ attendKernel });
    // Emulated adapters end loops after 65,535 turns without an error.
    const base = problem([1, 20, 70_000, 4, 4]), causal = { period: 20, offset: 69_980 };
    await checkAttend(backend, base, "all keys");
    await checkAttend(backend, { ...base, causal, logWeights: normals(9, 70_000) }, "causal, weighted");
    const samples = {
      count: 40_000,
      index: wordsBelow(8, 40_000, 70_000),
      logWeights: normals(9, 40_000),
      position: permutations(7, 1, 70_000),
    };
    await checkAttend(
      backend,
      { ...base, blocks: 2, keyOrder: permutations(6, 1, 70_000), samples },
      "samples",
    );
    backend.destroy();
  });
}
