import { assertLess } from "@std/assert";
import { attention, type Device, type MethodName, openDevice, type Tensor, tensor } from "../../../mod.ts";
import { relativeOutputError } from "../../../proofs_checks/measures/spectral.ts";
import { normals, permutations } from "../../data.ts";

const features = 24, seeds = [1, 2, 3];
/** Periods with numbers of rows of which samples of 256 and of 512 take each so many-th, the period or a multiple of it. */
const inputs = [[2, 2048], [3, 1536], [3, 2304], [4, 2048], [8, 4096]];
/**
 * How much larger errors may be, in the geometric mean over all inputs and over the seeds of one: of a coreset one draw in ten errs several times as much, shuffled or
 * not, while samples at even distances make it a hundred to a million times.
 */
const MOST = 2, MOST_OF_ONE = 8;
/** Below it is rounding: no scatter is left within a cluster. */
const ROUNDING = 1e-5;

/** Query, key and value: rows of each residue modulo the period lie about a point of their own, queries a place later than keys. */
function periodic(seed: number, n: number, period: number, scatter: number): Tensor[] {
  const points = normals(seed, 2 * period * features);
  return [0, 1, 2].map((part) => {
    const rows = normals(seed + 10 * part + 1, n * features, part === 2 ? 0.3 : scatter).map((x, i) => {
      const residue = (Math.floor(i / features) + Number(part === 0)) % period;
      return x + points[(Number(part === 2) * period + residue) * features + i % features];
    });
    return tensor(rows, [1, n, features]);
  });
}

function shuffle({ data, shape }: Tensor, order: Uint32Array): Tensor {
  const rows = new Float32Array(data.length);
  order.forEach((row, at) => rows.set(data.slice(row * features, (row + 1) * features), at * features));
  return tensor(rows, shape);
}

async function errorOf(
  method: MethodName,
  device: Device,
  [query, key, value]: Tensor[],
  seed: number,
): Promise<number> {
  const options = { device, seed, bucketSize: 32, samples: 160 };
  const { output } = await attention(query, key, value, { ...options, method });
  const exact = await attention(query, key, value, { device, method: "exact" });
  return Math.max(ROUNDING, relativeOutputError(output, exact.output)[0]);
}

const methods: MethodName[] = ["calibrated", "kdeformer-practical", "tilted-tree", "auto", "routed"];
for (const method of methods) {
  Deno.test(`rows that repeat cost ${method} no more than the same rows shuffled`, async () => {
    using device = await openDevice({ prefer: "wasm" });
    for (const scatter of [0, 0.3]) {
      let all = 0;
      for (const [period, n] of inputs) {
        let own = 0;
        for (const seed of seeds) {
          const rows = periodic(100 * seed, n, period, scatter);
          const [ofQueries, ofKeys] = [0, 1].map((at) => permutations(100 * seed + at, 1, n));
          const mixed = rows.map((part, at) => shuffle(part, at === 0 ? ofQueries : ofKeys));
          const error = await errorOf(method, device, rows, seed);
          own += Math.log(error / await errorOf(method, device, mixed, seed)) / seeds.length;
        }
        assertLess(Math.exp(own), MOST_OF_ONE, `period ${period}, n ${n}, scatter ${scatter}`);
        all += own / inputs.length;
      }
      assertLess(Math.exp(all), MOST, `scatter ${scatter}`);
    }
  });
}
