import type { RandomStream } from "../../../../kernels/random.ts";
import { certainKeys, expSums, largestOf, pick } from "./certain_keys.ts";
import { normalQuantile } from "./normal_quantile.ts";
import type { FirstStage, OpenedQuery } from "./opened_query.ts";

/**
 * The draws of a query as the public code (xAlg-ai/sparse-attention-hub) has them, for comparisons with its figures: from all keys behind the sinks, the
 * certain ones too, with replacement, those of the first stage thrown away. A key that is drawn twice counts once, at the weight range/draws, which makes
 * sums too small; the denominator has certain keys twice, which makes the number of draws too small; the quantile is one-sided.
 */
export function openAsPublic(
  logits: Float64Array,
  { base, delta, ...fixed }: FirstStage,
  random: RandomStream,
): OpenedQuery {
  const { certain, rest, isCertain, sinks } = certainKeys(logits, fixed), range = logits.length - sinks;
  const draw = (count: number) => Uint32Array.from({ length: count }, () => sinks + random.integer(range));
  const first = range > 0 ? draw(Math.max(2, base)) : new Uint32Array(0);
  const shift = largestOf(logits), { deviation } = expSums(logits, first, shift);
  const twice = expSums(logits, certain, shift).sum +
    expSums(logits, [...new Set(first)], shift).sum * range / Math.max(1, first.length);
  const ratio = normalQuantile(1 - delta) * deviation * range / twice;
  const draws = (epsilon: number) =>
    Math.min(range, Math.max(first.length, Math.floor(Math.min(range, (ratio / epsilon) ** 2)) || 0));
  return {
    used: (epsilon) => {
      const distinct = range > 0 ? rest.length * (1 - (1 - 1 / range) ** draws(epsilon)) : 0;
      return certain.length + first.length + distinct;
    },
    choose: (epsilon) => {
      const count = draws(epsilon), others = [...new Set(draw(count))].filter((at) => !isCertain[at]);
      const index = Uint32Array.of(...certain, ...others), logWeights = new Float64Array(index.length);
      logWeights.fill(Math.log(range / count), certain.length);
      return { count: index.length, index, logits: pick(logits, index), logWeights };
    },
  };
}
