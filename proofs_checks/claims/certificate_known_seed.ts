import { ExactRows } from "../../estimators/certified/exact_rows.ts";
import { headGeometry } from "../../estimators/certified/head_geometry.ts";
import { noInput, ownCase } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { checkKeys, DELTA, linearSize } from "./settings.ts";
import { flipRows, justEnough, largestError, sharpRows, wrongMethod } from "./sharp_rows.ts";

const EPSILON = 0.3, LEAST_KEYS = 1300;
/** Rows that a check by the seed of the method would look at first. */
const GUARDED = 400;

/** Whoever knows the seed of the check can hide from it, and the method knows its own. */
export const certificateKnownSeed: Claim = {
  name: "certificate-known-seed",
  statement:
    "A method that is wrong only where a check by its own seed would not look is found out: the check has a seed of its own",
  formula: "P[certificate holds falsely] <= δ for rows drawn by a seed that the output does not depend on",
  source: "docs/theory.md §8; estimators/certified/attend_within.ts",
  assumptions:
    `ε = ${EPSILON}; the first ${GUARDED} rows that the method's seed would have checked are right, just enough of the others wrong`,
  measurement: "error / (ε‖P‖‖V‖) where the certificate holds, else 0",
  rule: { kind: "probability", allowed: DELTA },
  bound: 1,
  cases: [ownCase(noInput("sharp-rows"))],
  anySource: false,
  n: 2600,
  runs: 200,
  size: linearSize,
  async run({ implementation, seed, on, n, delta }) {
    checkKeys(n, LEAST_KEYS, "checks are to see a small part of the rows");
    const sharp = sharpRows(n), { problem } = sharp, known = seed, checkSeed = (seed + 1) % 2 ** 53;
    const guarded = await on(async (backend) => {
      const rows = new ExactRows(problem, await headGeometry(backend, problem, known), known);
      await rows.extendTo(backend, GUARDED);
      return new Set(rows.ofHead(0).picks);
    });
    const method = wrongMethod(({ bucketSize }) =>
      flipRows(sharp, justEnough(EPSILON, n), known, bucketSize, guarded)
    );
    const centred = { problem, exact: problem, lift: (sums: Float32Array) => sums };
    const request = { epsilon: EPSILON, delta, certify: "bound", checkSeed } as const;
    const { output, reason } = await on((backend) =>
      implementation.attendWithin(method, backend, centred, request, {
        bucketSize: 1,
        samples: 0,
        seed: known,
      })
    );
    return { measured: reason === null ? largestError(sharp, output) / EPSILON : 0 };
  },
};
