/** An array that lives on a device; only the backend that made it can read it. */
export interface DeviceArray {
  /** `float` values (f32 on devices, f64 in the reference) or `word` values (u32). */
  readonly type: "float" | "word";
  /** Number of values. */
  readonly length: number;
}

/** Output rows together with the logarithm of the sum of their weights, so that parts merge exactly. */
export interface PartialAttention {
  /** [heads, queries, valueFeatures]: weighted mean of the values; 0 where no key is visible. */
  readonly output: DeviceArray;
  /** [heads, queries]: ln of the sum of the weights; EMPTY where no key is visible. */
  readonly logSumExp: DeviceArray;
}

/** Sizes of one attention problem. Grouped-query heads appear here as more queries per head. */
export interface AttentionShape {
  /** Key heads, batch included. */
  readonly heads: number;
  /** Queries per key head. */
  readonly queries: number;
  /** Keys per head, n_k. */
  readonly keys: number;
  /** Length of a query and of a key, d. */
  readonly features: number;
  /** Length of a value, d_v. */
  readonly valueFeatures: number;
}
