import type { Certificate } from "../../../estimators/certified/certificate.ts";
import { type Implementation, shipped } from "../../../proofs_checks/engine/implementation.ts";
import { type Mutant, mutant } from "./make_mutant.ts";

/** A check whose certificate says something else. */
const saying = (broken: (certificate: Certificate) => Partial<Certificate>): Partial<Implementation> => ({
  async certify(...args) {
    const { certificate, head } = await shipped.certify(...args);
    return { certificate: { ...certificate, ...broken(certificate) }, head };
  },
});

/** Broken checks. */
export const certificateMutants: readonly Mutant[] = [
  mutant(
    "certificate that always holds",
    "certificate-spoilt-rows",
    "gaussian",
    saying(() => ({ holds: true })),
  ),
  mutant("five times the chance to err", "certificate-sharp-rows", "sharp-rows-few-checked", {
    certify: (backend, problem, output, geometry, request) =>
      shipped.certify(backend, problem, output, geometry, {
        ...request,
        delta: Math.min(0.9, 5 * request.delta),
      }),
  }),
  mutant(
    "a check of rows that the output was fitted to",
    "certificate-sharp-rows",
    "sharp-rows-more-flipped",
    {
      async certify(backend, problem, output, geometry, request) {
        // Those that are checked are put right before.
        const twice = output.slice();
        await shipped.certify(backend, problem, twice, geometry, request);
        output.set(twice);
        return await shipped.certify(backend, problem, output, geometry, request);
      },
    },
  ),
  mutant("one of four query heads is checked", "certificate-sharp-rows", "sharp-rows-grouped-heads", {
    async certify(backend, problem, output, geometry, request) {
      const { period, valueFeatures, features } = problem, size = period * valueFeatures;
      const first = { ...problem, queries: period, query: problem.query.subarray(0, period * features) };
      return await shipped.certify(backend, first, output.subarray(0, size), geometry.slice(0, 1), request);
    },
  }),
  mutant("‖P‖ twice as large as rows tell", "certificate-target", "gaussian", {
    headGeometry: async (...args) =>
      (await shipped.headGeometry(...args)).map((head) => ({
        ...head,
        squaredDirection: head.squaredDirection / 4,
      })),
  }),
  mutant(
    "an estimate of the rows that were checked alone",
    "certificate-estimate",
    "gaussian",
    saying(({ operatorNormEstimate, rowsChecked }) => ({
      operatorNormEstimate: operatorNormEstimate * Math.sqrt(rowsChecked / 192),
    })),
  ),
  mutant(
    "a bound that is no number passes",
    "certificate-non-finite",
    "gaussian",
    saying(({ operatorNormBound, target, holds }) => ({
      holds: holds || !(operatorNormBound > target) || operatorNormBound === Infinity,
    })),
  ),
  mutant("the farthest error without the radius of the values", "certificate-attempts", "sharp-rows", {
    attemptWithin: (backend, settings, ...rest) => {
      const geometry = settings.geometry.map((head) => ({ ...head, radius: 0 }));
      return shipped.attemptWithin(backend, { ...settings, geometry }, ...rest);
    },
  }),
  mutant("rows that were checked, and left as they were", "certificate-attempts", "few-rows-flipped", {
    async attemptWithin(backend, settings, exact, progress) {
      let given: Float32Array | undefined;
      const method = {
        ...settings.method,
        async attend(...args: Parameters<typeof settings.method.attend>) {
          const result = await settings.method.attend(...args);
          given = result.output.slice();
          return result;
        },
      };
      const found = await shipped.attemptWithin(backend, { ...settings, method }, exact, progress);
      return { ...found, held: found.held && { ...found.held, output: given! } };
    },
  }),
  mutant("rows drawn by the seed of the method", "certificate-known-seed", "sharp-rows", {
    attendWithin: (method, backend, problem, request, start, ...rest) =>
      shipped.attendWithin(method, backend, problem, { ...request, checkSeed: start.seed }, start, ...rest),
  }),
  mutant("rounding of float64 in the place of float32's", "certificate-rounding", "clustered", {
    async attention(...args) {
      const { certificate, ...result } = await shipped.attention(...args);
      return {
        ...result,
        certificate: certificate &&
          { ...certificate, operatorNormBound: certificate.operatorNormBound * 2 ** -29 },
      };
    },
  }),
];
