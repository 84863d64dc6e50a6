import { assert, assertStringIncludes } from "@std/assert";
import { toTable } from "../../commands/attend_report.ts";
import { attention } from "../../mod.ts";
import { loadWorkload } from "../../workloads/workloads.ts";

const inputs = await loadWorkload("gaussian", { n: 700, seed: 2 });
const { query, key, scale } = inputs,
  value = { data: inputs.value.data.subarray(0, 1400), shape: [1, 700, 2] };
const request = {
  scale,
  epsilon: 0.6,
  method: "calibrated",
  bucketSize: 16,
  samples: 32,
  device: "wasm",
} as const;

Deno.test("the table calls a bound a certificate, and an estimate no guarantee; both name the seed of the check", async () => {
  for (const certify of ["bound", "estimate"] as const) {
    const result = await attention(query, key, value, { ...request, certify, checkSeed: 31337 });
    const words = toTable({ ...inputs, value }, { result, comparison: undefined });
    assert(result.certificate?.kind === certify, String(result.stats.fellBack));
    assertStringIncludes(words, "check seed 31337");
    assert(words.includes("certificate: error at most 0.6") === (certify === "bound"), words);
    assert(words.includes("no guarantee") === (certify === "estimate"), words);
  }
});
