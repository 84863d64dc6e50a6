import { tensor } from "../../mod.ts";
import { publishedKdeformer } from "../peers/published_kdeformer.ts";
import type { Setting } from "../errors/rivals.ts";
import type { FindRerun, Rerun } from "./rerun.ts";

/** What the authors' published code computes, in our words: a third of the size in blocks, the rest sampled. */
export const rerunKdeformer: FindRerun = ({ size }: Setting): Rerun => ({
  random: true,
  seeds: 9,
  run: (_, problem, seed) => {
    const { queries, keys, features, valueFeatures, scale } = problem;
    const input = {
      query: tensor(problem.query, [1, queries, features]),
      key: tensor(problem.key, [1, keys, features]),
      value: tensor(problem.value, [1, keys, valueFeatures]),
      scale,
    };
    return Promise.resolve(
      publishedKdeformer(input, { bucketSize: size! / 3, samples: size! * 2 / 3 }, seed),
    );
  },
});
