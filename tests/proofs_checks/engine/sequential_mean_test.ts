import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { RandomStream } from "../../../kernels/random.ts";
import { clopperPearson } from "../../../proofs_checks/statistics/binomial.ts";
import { SequentialMean } from "../../../proofs_checks/statistics/sequential_mean.ts";

/** Draws of mean 0 and variance 1, the last two with tails that normal theory has nothing to say about. */
const distributions: Record<string, (random: RandomStream) => number> = {
  normal: (random) => random.normal(),
  "rare and large": (random) => random.uniform() < 0.01 ? Math.sqrt(99) : -Math.sqrt(1 / 99),
  "Student's t with 3 degrees of freedom": (random) => {
    const squares = random.normal() ** 2 + random.normal() ** 2 + random.normal() ** 2;
    return random.normal() / Math.sqrt(squares);
  },
};

/** Share of sequences in which some evidence reaches 1/level at any of its values. */
function share(
  draw: () => number,
  side: "logEvidenceFor" | "logEvidenceAgainst",
): { events: number; runs: number } {
  const runs = 400, level = 0.05;
  let events = 0;
  for (let run = 0; run < runs; run++) {
    const sequence = new SequentialMean(0.75);
    for (let at = 0; at < 150; at++) {
      sequence.add(draw());
      if (sequence.evidence()[side] >= Math.log(1 / level)) {
        events++;
        break;
      }
    }
  }
  return { events, runs };
}

for (const [name, draw] of Object.entries(distributions)) {
  Deno.test(`SequentialMean errs at most as often as its level says, looked at after each value: ${name}`, () => {
    const random = new RandomStream(3, 999);
    for (
      const [side, shift] of [["logEvidenceAgainst", 0], ["logEvidenceFor", 0.75], [
        "logEvidenceFor",
        -0.75,
      ]] as const
    ) {
      const { events, runs } = share(() => draw(random) + shift, side);
      assertLess(
        clopperPearson(events, runs, 0.999).lower,
        0.05,
        `${side} at a mean of ${shift}: ${events} of ${runs}`,
      );
    }
  });
}

Deno.test("SequentialMean finds a bias of one deviation, and that there is none", () => {
  const random = new RandomStream(4, 999);
  assertEquals(share(() => random.normal() + 1, "logEvidenceAgainst").events, 400);
  assertEquals(share(() => random.normal() - 1, "logEvidenceAgainst").events, 400);
  assertGreater(share(() => random.normal(), "logEvidenceFor").events, 390);
});

Deno.test("SequentialMean takes NaN and infinity for what no such distribution gives", () => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    const sequence = new SequentialMean(0.5);
    sequence.add(0);
    sequence.add(bad);
    assertEquals(sequence.evidence(), { logEvidenceFor: -Infinity, logEvidenceAgainst: Infinity });
  }
});
