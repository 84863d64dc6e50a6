import type { AttentionInput, InputFamily, InputOptions } from "./family.ts";
import { InputDraw } from "./input_draw.ts";
import { scaleRows } from "./vectors.ts";

/** Options of {@link boundedNorms}. */
export interface BoundedNormsOptions {
  /** Largest logit: scale · ‖q‖ · ‖k‖, ½ by default. */
  readonly largestLogit?: number;
}

/** What guarantees with constants in e^‖k‖² are about. */
export const boundedNorms: InputFamily<BoundedNormsOptions> = {
  name: "bounded-norms",
  description:
    "Queries and keys of one length with logits up to ½, values that change sign in the middle of the sequence: the mildest " +
    "input there is, on which guarantees with constants in e^‖k‖² say something.",
  generate({ largestLogit = 0.5, ...options }: InputOptions & BoundedNormsOptions): AttentionInput {
    const draw = new InputDraw("bounded-norms", options);
    const { keys, features, valueFeatures, scale } = draw;
    draw.check(largestLogit > 0, "largestLogit must be positive", largestLogit);
    const norm = Math.sqrt(largestLogit / scale);
    const query = scaleRows(draw.normalQueries(), features, norm);
    const key = scaleRows(draw.normalKeys(), features, norm);
    // Half of the keys, in order, are no sample of these: who takes them errs by as much as can be.
    const value = Float32Array.from({ length: keys * valueFeatures }, (_, at) => {
      const row = Math.floor(at / valueFeatures);
      return (2 * row < keys ? 1 : -1) * (at % 2 === 0 ? 1 : -1);
    });
    return draw.input(query, key, value);
  },
};
