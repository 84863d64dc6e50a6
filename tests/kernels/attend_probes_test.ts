import { type HostAttend, plainAttention, uploadAttend } from "../attend.ts";
import { onEachBackend } from "../backends.ts";
import { besideReference } from "../beside_reference.ts";
import { normals } from "../data.ts";
import { assertPrecise } from "../precision.ts";

onEachBackend("attendProbes() is attention that keeps its probabilities", async (backend) => {
  const shapes = [[1, 1, 1, 1, 1, 1], [2, 5, 333, 15, 7, 1], [1, 13, 1000, 64, 72, 4], [
    3,
    4,
    129,
    6,
    33,
    30,
  ]];
  for (const [heads, queries, keys, features, valueFeatures, spread] of shapes) {
    const args: HostAttend = {
      heads,
      queries,
      keys,
      features,
      valueFeatures,
      scale: 1 / Math.sqrt(features),
      query: normals(1, heads * queries * features, spread),
      key: normals(2, heads * keys * features),
      value: normals(3, heads * keys * valueFeatures),
    };
    const { actual, expected } = await besideReference(backend, (on) => {
      const { output, logSumExp, probabilities } = on.attendProbes(uploadAttend(on, args));
      return [output, logSumExp, probabilities];
    });
    const plain = plainAttention(args), what = `${heads}, ${queries}, ${keys}`;
    assertPrecise(actual[0], plain.output, expected[0], `${what}: output`);
    assertPrecise(actual[1], plain.logSumExp, expected[1], `${what}: log-sum-exp`);
    assertPrecise(actual[2], plainProbabilities(args), expected[2], `${what}: probabilities`);
  }
});

/** As attention to the unit vectors, one value for each key. */
function plainProbabilities(args: HostAttend): Float32Array {
  const { heads, keys } = args;
  const value = Float32Array.from(
    { length: heads * keys * keys },
    (_, at) => Math.floor(at / keys) % keys === at % keys ? 1 : 0,
  );
  return plainAttention({ ...args, value, valueFeatures: keys }).output;
}
