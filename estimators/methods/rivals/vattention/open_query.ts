import type { RandomStream } from "../../../../kernels/random.ts";
import { certainKeys, expSums, largestOf, pick } from "./certain_keys.ts";
import { normalQuantile } from "./normal_quantile.ts";
import type { FirstStage, OpenedQuery } from "./opened_query.ts";

/**
 * The draws of a query, all of them without replacement: the first ones count as themselves, as the certain keys do, so that what is estimated is
 * the sum over the n keys that no one has looked at. Of these m more are drawn, at weight n/m: with √(1 − m/n) σ n/√m the error of
 * that sum, m = m₀/(1 + m₀/n), m₀ = (z σ n/(ε D))², has it within ε D with a chance of 1 − δ where it is normal; z = Φ⁻¹(1 − δ/2), σ and D as
 * the first draws have them. Numerator and denominator are unbiased whatever m is, since one is drawn at least: given
 * what was seen, their expectations are the exact sums.
 */
export function openQuery(
  logits: Float64Array,
  { base, delta, ...fixed }: FirstStage,
  random: RandomStream,
): OpenedQuery {
  const { certain, rest } = certainKeys(logits, fixed);
  const draw = (from: number, end: number) => {
    for (let at = from; at < end; at++) {
      const other = at + random.integer(rest.length - at), moved = rest[at];
      rest[at] = rest[other];
      rest[other] = moved;
    }
  };
  const seen = Math.min(rest.length, Math.max(2, base)), unseen = rest.length - seen;
  draw(0, seen);
  const shift = largestOf(logits), ofCertain = expSums(logits, certain, shift).sum;
  const first = expSums(logits, rest.subarray(0, seen), shift);
  const denominator = ofCertain + (seen > 0 ? first.sum * rest.length / seen : 0);
  const ratio = normalQuantile(1 - delta / 2) * first.deviation * unseen / denominator;
  const more = (epsilon: number) => {
    if (unseen === 0) return 0;
    // A denominator that underflows can only be that of keys that the first draws did not see.
    const wanted = denominator > 0 ? (ratio / epsilon) ** 2 : Infinity;
    return Math.max(1, Math.min(unseen, Math.ceil(wanted / (1 + wanted / unseen)) || unseen));
  };
  return {
    used: (epsilon) => certain.length + seen + more(epsilon),
    choose: (epsilon) => {
      const drawn = more(epsilon), count = certain.length + seen + drawn;
      draw(seen, seen + drawn);
      const index = new Uint32Array(count), logWeights = new Float64Array(count);
      index.set(certain);
      index.set(rest.subarray(0, seen + drawn), certain.length);
      logWeights.fill(Math.log(unseen / drawn), certain.length + seen);
      return { count, index, logits: pick(logits, index), logWeights };
    },
  };
}
