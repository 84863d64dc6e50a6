import { Purpose, RandomStream } from "../../kernels/random.ts";
import type { InputSource } from "../engine/claim.ts";
import { Evolution, meanScore, type Variation } from "./evolution.ts";
import { describeGenome, type GeneName, geneNames, type Genome, genomeInput } from "./genome.ts";

const variation: Variation<Genome> = {
  random: (random) => fromGenes(() => random.uniform()),
  child: (first, second, size, random) =>
    fromGenes((name) => {
      const inherited = (random.integer(2) ? first : second)[name];
      // A fair share of the genes stays as it is, so that a child can be like a parent in most.
      if (random.integer(3) > 0) return inherited;
      return Math.min(1, Math.max(0, inherited + size * random.normal()));
    }),
};

function fromGenes(gene: (name: GeneName) => number): Genome {
  return Object.fromEntries(geneNames.map((name) => [name, gene(name)])) as Record<GeneName, number>;
}

/**
 * Inputs made to break the claim at hand: an evolution strategy over mixtures of all adversarial mechanisms, which hears
 * error / bound of every input that it gave. A claim about every input is one about these too: the evidence against it is a
 * supermartingale however the next input is chosen from what was seen before, so a refutation is as valid as any. That a claim holds is
 * said of the inputs that the search came to.
 *
 * The budget is the number of runs: all are used, unless the claim is refuted before.
 */
export const searchedInputs: InputSource = {
  name: "adversarial-search",
  exhaustive: true,
  open(seed, runs) {
    const evolution = new Evolution(variation, runs, new RandomStream(seed, Purpose.search));
    return {
      next: (options) => genomeInput(evolution.ask(), options),
      observe: (ratio) => evolution.tell(ratio),
      describe() {
        const { best } = evolution;
        if (!best) return "nothing was evaluated";
        return `worst input found: error/bound ${
          Number(meanScore(best).toPrecision(3))
        } in the mean of ${best.scores.length} ` +
          `evaluations, ${describeGenome(best.genes)}`;
      },
    };
  },
};
