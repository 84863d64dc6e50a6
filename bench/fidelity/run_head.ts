import type { Problem } from "../../estimators/core/problem.ts";
import { type CostedHead, eachHead, type Head } from "../../estimators/methods/rivals/shared/each_head.ts";
import type { Backend } from "../../kernels/backend.ts";

/** The output of what attends one head at a time and has options of its own in place of a budget. */
export async function runHead(
  backend: Backend,
  problem: Problem,
  attendHead: (head: Head) => Promise<CostedHead>,
): Promise<Float32Array> {
  // A budget that covers no input, so that nothing is exact.
  const none = { bucketSize: 0, samples: 0, seed: 0 };
  return (await eachHead("a rerun", backend, problem, none, {}, attendHead)).output;
}
