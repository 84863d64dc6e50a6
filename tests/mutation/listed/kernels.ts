import type { Mutant } from "../mutant.ts";

/** Faults of kernels: of WebAssembly, and of the float64 reference that others are compared with. */
export const kernels: readonly Mutant[] = [
  {
    id: "W01",
    file: "kernels/wasm/assembly/sample_keys.ts",
    fault: "samples lie in the middle of strata",
    find: "const target = start + multiplyHigh(random, size);",
    replace: "const target = start + size / 2 + 0 * multiplyHigh(random, size);",
  },
  {
    id: "W02",
    file: "kernels/wasm/assembly/sample_keys.ts",
    fault: "the weight of a sample leaves their number out",
    find: "<f64>weightTotal / <f64>samples / <f64>weight",
    replace: "<f64>weightTotal / <f64>weight",
  },
  {
    id: "W03",
    file: "kernels/wasm/assembly/attend.ts",
    fault: "the mask of the own block is one key too long",
    find: "if (place - blockFirst < blockKeys)",
    replace: "if (place - blockFirst <= blockKeys)",
  },
  {
    id: "W04",
    file: "kernels/wasm/assembly/attend.ts",
    fault: "causal: a query does not see its own key",
    find: "<i64>args.offset + 1 - <i64>keyStart",
    replace: "<i64>args.offset - <i64>keyStart",
  },
  {
    id: "W05",
    file: "kernels/wasm/assembly/tile_softmax.ts",
    fault: "running sums are rescaled by an exponent 0.1 % off",
    find: "exponentialOf(before - now);",
    replace: "exponentialOf(<f32>0.999 * (before - now));",
  },
  {
    id: "W06",
    file: "kernels/wasm/assembly/attend.ts",
    fault: "the log-sum-exp leaves the sum out",
    find: "<f64>load<f32>(line, group.LARGEST) + logarithm(total)",
    replace: "<f64>load<f32>(line, group.LARGEST) + 0 * logarithm(total)",
  },
  {
    id: "W07",
    file: "kernels/wasm/assembly/angular_hash.ts",
    fault: "the Gray code is applied forwards",
    find:
      "  code ^= code >> 1;\n  code ^= code >> 2;\n  code ^= code >> 4;\n  code ^= code >> 8;\n  return code ^ (code >> 16);",
    replace: "  return code ^ (code >> 1);",
  },
  {
    id: "W08",
    file: "kernels/wasm/assembly/key_importance.ts",
    fault: "rows held out are counted among the probes",
    find:
      "for (let probe: u32 = 0, from = firstProbe + at; probe < args.counted; ++probe, from += stride) {\n      const",
    replace:
      "for (let probe: u32 = 0, from = firstProbe + at; probe < args.probes; ++probe, from += stride) {\n      const",
  },
  {
    id: "W09",
    file: "kernels/wasm/assembly/random.ts",
    fault: "one round of Philox fewer",
    find: "round < 10",
    replace: "round < 9",
  },
  {
    id: "W10",
    file: "kernels/wasm/assembly/merge_attention.ts",
    fault: "merged: the heavier part has the other's weight",
    find: "a < b ? other : inverse, secondWeight",
    replace: "a < b ? inverse : other, secondWeight",
  },
  {
    id: "F01",
    file: "kernels/reference/attend.ts",
    fault: "reference: masked logits are not hidden",
    find: "        if (logits[j] <= MASKED) logits[j] = -Infinity;\n",
    replace: "",
  },
  {
    id: "F02",
    file: "kernels/reference/attend.ts",
    fault: "reference: the log-sum-exp leaves the sum out",
    find: "logSumExp[row] = largest + Math.log(total);",
    replace: "logSumExp[row] = largest;",
  },
  {
    id: "F03",
    file: "kernels/reference/key_importance.ts",
    fault: "reference: the mean square of the values is left out",
    find: "Math.sqrt(size[j] + meanSquare)",
    replace: "Math.sqrt(size[j] + 0 * meanSquare)",
  },
  {
    id: "F04",
    file: "kernels/reference/attend.ts",
    fault: "reference: causal order is one key late",
    find: "(position % causal.period) + causal.offset + 1",
    replace: "(position % causal.period) + causal.offset + 2",
  },
  {
    id: "F05",
    file: "kernels/reference/fit_points.ts",
    fault: "reference: the mass of a point is not fitted",
    find: "const logMass = Math.log(mass) - largest;",
    replace: "const logMass = Math.log(members.length) + 0 * mass * largest;",
  },
  {
    id: "F06",
    file: "kernels/random.ts",
    fault: "both implementations of Philox: the key's low word is not raised",
    find: "k0 = (k0 + 0x9e3779b9) >>> 0;",
    replace: "k0 = (k0 + 0) >>> 0;",
  },
];
