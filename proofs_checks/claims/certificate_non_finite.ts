import { Purpose, RandomStream } from "../../kernels/random.ts";
import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { DELTA, VALUE_FEATURES } from "./settings.ts";

const ROWS = 48, EPSILON = 0.99;

/** No number is no output. */
export const certificateNonFinite: Claim = {
  name: "certificate-non-finite",
  statement: "No certificate holds for an output with a number that is not finite, in whichever head it lies",
  formula: "certificate holds ⇒ every number of the output is finite",
  source: "docs/theory.md §8",
  assumptions:
    `one of NaN, ∞ and −∞ in one row of exact attention of two heads; ${ROWS} rows checked, ε = ${EPSILON}`,
  measurement: "1 where the certificate holds and a number that is not finite is left, else 0",
  rule: { kind: "always", allowed: DELTA },
  bound: 0.5,
  cases: holdsOn("gaussian", "clustered", "uniform-softmax", "hard-instance"),
  anySource: true,
  n: 192,
  runs: 60,
  async run({ implementation, input, seed, on, delta, run }) {
    const { problem: one, output: exact } = new Oracle(await input({ valueFeatures: VALUE_FEATURES }));
    const twice = (rows: ArrayLike<number>) => Float32Array.from([...Array.from(rows), ...Array.from(rows)]);
    const problem = {
      ...one,
      ...{ heads: 2, query: twice(one.query), key: twice(one.key), value: twice(one.value) },
    };
    const output = twice(exact);
    output[new RandomStream(seed, Purpose.spoiltRows).integer(output.length)] =
      [NaN, Infinity, -Infinity][run % 3];
    const rows = Math.min(ROWS, one.queries - 1);
    const request = { epsilon: EPSILON, delta, rows, seed, round: 0, certify: "bound" } as const;
    const { certificate } = await on(async (backend) => {
      const geometry = await implementation.headGeometry(backend, problem, seed);
      return await implementation.certify(backend, problem, output, geometry, request);
    });
    return { measured: Number(certificate.holds && !output.every(Number.isFinite)) };
  },
};
