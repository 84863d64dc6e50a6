import { ExactRows } from "../../estimators/certified/exact_rows.ts";
import { noInput, ownCase } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { checkKeys, DELTA, linearSize } from "./settings.ts";
import { flipRows, justEnough, largestError, sharpRows, wrongMethod } from "./sharp_rows.ts";

const LEAST_KEYS = 1300;
/** Rows that may be checked: so few that the first checkpoint of an attempt is nearly the last. */
const CHECKED_SHARE = 0.3;
/** Rows that are flipped, in parts of just enough for ε: with few of them certificates are true, and some of those rows are checked. */
const ATTACKS: Readonly<Record<string, { readonly epsilon: number; readonly share: number }>> = {
  "sharp-rows": { epsilon: 0.2, share: 1 },
  "few-rows-flipped": { epsilon: 0.6, share: 0.25 },
};

/** A call that looks several times, at outputs that are all wrong. */
export const certificateAttempts: Claim = {
  name: "certificate-attempts",
  statement:
    "However many attempts and checkpoints a call makes, it ends with a false certificate with probability at most δ",
  formula: "P[some checkpoint of some attempt holds falsely] <= Σ_j Σ_k 3 δ/(4^(j+1) 2^(k+1)) <= δ",
  source: "docs/theory.md §8.3; estimators/certified/attempts.ts",
  assumptions:
    `ε = 0.2; each attempt flips other rows, just enough of them, or at ε = 0.6 a quarter of that; it costs nothing, so that as many are made as can be`,
  measurement:
    "error / (ε‖P‖‖V‖) where a certificate holds, else 0; infinite if a row that was checked is wrong in the output",
  rule: { kind: "probability", allowed: DELTA },
  bound: 1,
  cases: Object.keys(ATTACKS).map((name) => ownCase(noInput(name))),
  anySource: false,
  n: 2600,
  runs: 500,
  size: linearSize,
  async run({ implementation, seed, on, n, delta, family }) {
    checkKeys(n, LEAST_KEYS, "checks are to see a small part of the rows");
    const { epsilon, share } = ATTACKS[family],
      sharp = sharpRows(n),
      flipped = Math.ceil(share * justEnough(epsilon, n));
    let attempts = 0;
    const method = wrongMethod(() => flipRows(sharp, flipped, seed, attempts++));
    const { held, picks } = await on(async (backend) => {
      const geometry = await implementation.headGeometry(backend, sharp.problem, seed);
      const asked = { epsilon, delta, certify: "bound", checkSeed: seed } as const;
      const allowed = { mostRows: Math.floor(CHECKED_SHARE * n), allowance: Infinity };
      const start = { bucketSize: 1, samples: 0, seed };
      const settings = { method, problem: sharp.problem, geometry, start, ...asked, ...allowed };
      const rows = new ExactRows(sharp.problem, geometry, seed);
      const { held } = await implementation.attemptWithin(backend, settings, rows, {});
      return { held, picks: rows.ofHead(0).picks };
    });
    // What a certificate leaves out of its bound, since it was computed exactly, must be so in the output.
    const wrong = held && picks.some((row) => held.output[row] !== sharp.truth[row]);
    const measured = wrong ? Infinity : held ? largestError(sharp, held.output) / epsilon : 0;
    return { measured, plot: { attempts } };
  },
};
