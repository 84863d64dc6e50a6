import type { AttentionInput, InputFamily, InputOptions } from "./family.ts";
import { InputDraw } from "./input_draw.ts";

/** Options of {@link gaussian}. */
export interface GaussianOptions {
  /** Standard deviation of queries and keys, 1 by default; that of values is 1. */
  readonly deviation?: number;
}

/** Independent normal queries, keys and values. */
export const gaussian: InputFamily<GaussianOptions> = {
  name: "gaussian",
  description:
    "Independent standard normal values: no structure at all, so the stable rank is high, the output is nearly the " +
    "mean value, and the guarantee holds because ‖P‖‖V‖ is large.",
  generate({ deviation = 1, ...options }: InputOptions & GaussianOptions): AttentionInput {
    const draw = new InputDraw("gaussian", options);
    return draw.input(draw.normalQueries(deviation), draw.normalKeys(deviation));
  },
};
