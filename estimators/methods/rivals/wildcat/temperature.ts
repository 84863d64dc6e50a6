/** How far keys are stretched before pivots are chosen: τ² of the queries' stretch, 1/τ² of the keys'. */
export type TemperatureRule = "constant" | "lambert" | "lambert-of-keys";

/** 2 √(1 + e^(2 W₀(2/e²) + 2)), of the bound that the rules of Lambert minimise. */
const TWICE_RHO = 6.383202050647408;
/** What the third rule puts in place of b / (2 W₀(b / TWICE_RHO)). */
const CONSTANT = 3.94582;

/** Sizes of the rows of a head that temperatures hang on. */
export interface RowSizes {
  readonly keys: number;
  /** Largest norm of a query, and of a centred key. */
  readonly query: number;
  readonly key: number;
  /** |scale| */
  readonly scale: number;
}

/**
 * The factor on ‖k − k'‖² in the kernel that is approximated, scale / τ²: τ² = key/query · b / (2 W₀(b / TWICE_RHO)) with b = 2 + ln n / (scale · query
 * · key) by "lambert", the same with the keys' norm for that of the queries by "lambert-of-keys", and with a constant for what depends on b.
 * 0 where all logits are the same.
 */
export function kernelFactor(rule: TemperatureRule, { keys, query, key, scale }: RowSizes): number {
  const other = rule === "lambert-of-keys" ? key : query;
  if (!(scale * query * key > 0)) return 0;
  const b = 2 + Math.log(keys) / (scale * other * key);
  const upper = rule === "constant" ? CONSTANT : b / (2 * lambertOfExp(Math.log(b / TWICE_RHO)));
  return scale * (other / key) / upper;
}

/** W₀(e^x), the w with w + ln w = x, by Newton's method. */
export function lambertOfExp(x: number): number {
  let w = x > 1 ? x - Math.log(x) : Math.exp(x - 1);
  for (let step = 0; step < 6; step++) w *= (1 + x - Math.log(w)) / (1 + w);
  return w;
}
