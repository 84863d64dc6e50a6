import { floats, floatValues, words } from "../../../kernels/reference/array.ts";
import { attend as referenceAttend } from "../../../kernels/reference/attend.ts";
import { openWebGpu, type WebGpuBackend } from "../../../kernels/webgpu/backend.ts";
import { webgpuTest } from "../../backends.ts";
import { normals, wordsBelow } from "../../data.ts";
import { assertPrecise, type HostAttend, plainAttention } from "../../precision.ts";

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

async function check(backend: WebGpuBackend, args: HostAttend, what: string): Promise<void> {
  const upload = (data: Float32Array | Uint32Array) => backend.upload(data);
  const { output, logSumExp } = backend.attend({
    ...args,
    query: upload(args.query),
    key: upload(args.key),
    value: upload(args.value),
    logWeights: args.logWeights && upload(args.logWeights),
    exclude: args.exclude && { ...args.exclude, keyBlocks: upload(args.exclude.keyBlocks) },
  });
  const actual = await backend.run([output, logSumExp]);
  backend.reset();
  const double = (data: Float32Array) => floats(Float64Array.from(data));
  const exact = referenceAttend({
    ...args,
    query: double(args.query),
    key: double(args.key),
    value: double(args.value),
    logWeights: args.logWeights && double(args.logWeights),
    exclude: args.exclude && { ...args.exclude, keyBlocks: words(args.exclude.keyBlocks) },
  });
  const plain = plainAttention(args);
  assertPrecise(actual[0], plain.output, floatValues(exact.output), `${what}: output`);
  assertPrecise(actual[1], plain.logSumExp, floatValues(exact.logSumExp), `${what}: log-sum-exp`);
}

for (const attendKernel of ["registers", "tiles"] as const) {
  webgpuTest(`attend() with ${attendKernel} meets the precision rule on every shape`, async () => {
    const backend = await openWebGpu({ attendKernel });
    for (
      const shape of [
        [1, 1, 1, 1, 1],
        [2, 7, 3, 3, 1],
        [2, 70, 65, 15, 15],
        [1, 100, 257, 64, 64],
        [2, 19, 130, 100, 100],
        [1, 21, 40, 128, 132],
        [1, 5, 33, 256, 256],
      ]
    ) await check(backend, problem(shape), `${shape}`);
    for (const spread of [100, 1e5]) await check(backend, problem([1, 37, 91, 16, 8], spread), `${spread}`);
    backend.destroy();
  });

  webgpuTest(`attend() with ${attendKernel} follows every rule of visibility at once`, async () => {
    const backend = await openWebGpu({ attendKernel });
    const base = problem([2, 150, 77, 16, 5]);
    const weights = normals(9, 2 * 77, 3), masked = weights.map((w, at) => at % 3 === 0 ? -3e38 : w);
    const exclude = { keyBlocks: wordsBelow(4, 2 * 77, 11), blocks: 11 };
    const causal = { period: 50, offset: 20 };
    await check(backend, { ...base, causal: { period: 150, offset: -30 } }, "causal");
    await check(backend, { ...base, causal }, "three sequences");
    await check(backend, { ...base, blocks: 7 }, "blocks");
    await check(backend, { ...base, blocks: 100 }, "more blocks than keys");
    await check(backend, { ...base, exclude, logWeights: weights }, "weighted and excluding");
    await check(backend, { ...base, exclude, logWeights: masked, causal, blocks: 3 }, "everything");
    await check(backend, { ...base, logWeights: weights.map(() => -3e38) }, "all hidden");
    backend.destroy();
  });
}
