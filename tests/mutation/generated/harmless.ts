/**
 * Why faults that an operator makes and nothing notices are none, by what they change (`changeOf`): each has been looked at, and what
 * it changes can be seen in no answer.
 */
export const harmlessChanges: Readonly<Record<string, string>> = {
  // estimators/core/exact.ts
  f8dafc6655f5:
    "a problem of just as many bytes as fit one submission goes in parts, which are the same attention",
  // kernels/wasm/assembly/tilt_keys.ts
  f8f94a27d7f0: "a tree without a cut has one key, for which nothing is left to write",
  // estimators/kde/hashing_based.ts
  "2793727fe631": "there is room for more queries than are asked, which nobody reads",
  // estimators/methods/kdeformer_residual/shared_error.ts
  f7e47418935e:
    "a row whose others weigh exactly 10⁻¹² of all is left in; where none has mass, nothing is followed either way",
  // kernels/reference/bisect_rows.ts
  dd514571cbf4: "a head behind the last has no rows, and nowhere to write to",
  // estimators/certified/evidence.ts
  "6345fdcb4e3f": "images may be counted as no more than any number: that makes ‖P x‖ no larger",
  // estimators/certified/rounding_bound.ts
  "7541fa82aabb": "rows of a head are a multiple of the period: it makes no difference to the remainder",
  // estimators/methods/kdeformer_residual/residual_sample.ts
  "6b82b30bf948": "keys behind the last draw are looked at, and none is drawn",
};
