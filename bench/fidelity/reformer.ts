import type { Backend } from "../../kernels/backend.ts";
import type { Problem } from "../../estimators/core/problem.ts";
import { attendShared } from "../../estimators/methods/rivals/reformer/reformer.ts";
import { unitRows } from "../../estimators/methods/rivals/reformer/shared_rows.ts";
import type { Setting } from "../errors/rivals.ts";
import type { FindRerun, Rerun } from "./rerun.ts";

/** Rounds of the settings, by their size: 2 · rounds · bucket. */
const ROUNDS: Readonly<Record<number, number>> = { 96: 6, 192: 6, 384: 6, 512: 8, 1024: 8, 2048: 8 };

/** Reformer on keys made of the queries, which it is given in place of the keys that were asked for. */
export const rerunReformer: FindRerun = ({ size, variant }: Setting): Rerun | undefined => {
  const rounds = ROUNDS[size!], chunkSize = size! / 2 / rounds;
  return {
    random: true,
    seeds: 3,
    run: async (backend, problem, seed) => {
      const { queries } = problem, own = sharedProblem(problem);
      const options = { rounds, factors: [queries / chunkSize / 2], chunkSize, repeats: true, others: true };
      return (await attendShared(backend, own, { ...own, at: 0 }, options, seed)).output;
    },
    target: variant === "K := Q, exact target"
      ? (problem) => ({ ...problem, key: problem.query })
      : undefined,
    exact: variant?.endsWith("own kernel as target") ? ofOthers : undefined,
  };
};

/** Keys are queries at length 1; the public code has no scale, and queries were multiplied by d^(-1/4). */
function sharedProblem(problem: Problem): Problem {
  const { query, features } = problem;
  return { ...problem, key: unitRows(query, features), scale: features ** -0.25 };
}

/** Exact attention with these keys, to all positions but the own. */
async function ofOthers(backend: Backend, problem: Problem): Promise<Float32Array> {
  const { heads, queries, keys, features, valueFeatures, scale, ...own } = sharedProblem(problem);
  const keyBlocks = backend.upload(Uint32Array.from({ length: keys }, (_, at) => at));
  const { output } = backend.attend({
    ...{ heads, queries, keys, features, valueFeatures, scale },
    ...{ query: backend.upload(own.query), key: backend.upload(own.key), value: backend.upload(own.value) },
    exclude: { keyBlocks, blocks: queries },
  });
  const [found] = await backend.run([output]);
  return found as Float32Array;
}
