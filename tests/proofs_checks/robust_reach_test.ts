/** How far outliers must lie, and how many there may be, for robust attention not to hear them: the figures of docs/theory.md §10. */
import { assertGreater, assertLess } from "@std/assert";
import { robustAttention, type RobustAttentionOptions } from "../../mod.ts";
import { addOutliers, type Attack, attacks, FAR_OUT } from "../../proofs_checks/inputs/outliers.ts";
import { inputFamily } from "../../proofs_checks/inputs/families.ts";
import { Oracle } from "../../proofs_checks/measures/oracle.ts";
import { relativeError } from "../precision.ts";

/** Drifts of robust attention over those of softmax attention, on a few inputs. */
async function drifts(
  family: string,
  attack: Attack,
  { factor = 1, share = 0.05, options = {} }: {
    factor?: number;
    share?: number;
    options?: RobustAttentionOptions;
  },
): Promise<number[]> {
  const strength = {
    keys: factor * FAR_OUT.keys,
    values: factor * FAR_OUT.values,
    farValues: factor * FAR_OUT.farValues,
  };
  const found: number[] = [];
  for (const seed of [1, 2, 3]) {
    const input = inputFamily(family).generate({ n: 384, queries: 24, valueFeatures: 16, seed });
    const clean = new Oracle(input).output;
    const { input: { query, key, value, scale } } = addOutliers(input, attack, share, seed, strength);
    const softmax = new Oracle({ query, key, value, scale }).output;
    const { output } = await robustAttention(query, key, value, { scale, seed, device: "wasm", ...options });
    found.push(relativeError(output.data, clean) / relativeError(softmax, clean));
  }
  return found;
}

for (const family of ["clustered", "gaussian"]) {
  Deno.test(`outliers of 3 times the usual length are not heard, those of twice the length are: ${family}`, async () => {
    for (const attack of attacks) {
      for (const drift of await drifts(family, attack, {})) assertLess(drift, 1e-3, attack);
      if (attack === "far-values") continue;
      for (const drift of await drifts(family, attack, { factor: 2 / 3 })) assertGreater(drift, 0.9, attack);
    }
  });

  Deno.test(`a fifth of outliers takes an outlierFraction above a fifth: ${family}`, async () => {
    for (const attack of attacks) {
      for (const drift of await drifts(family, attack, { share: 0.2 })) assertGreater(drift, 0.2, attack);
      const options = { outlierFraction: 0.25 };
      for (const drift of await drifts(family, attack, { share: 0.2, options })) {
        assertLess(drift, 0.01, attack);
      }
    }
  });
}
