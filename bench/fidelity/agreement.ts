import { exactAttention } from "../../estimators/core/exact.ts";
import { makeProblem } from "../../estimators/core/problem.ts";
import type { Backend } from "../../kernels/backend.ts";
import { tensor } from "../../kernels/tensor.ts";
import type { NamedInput } from "../../proofs_checks/inputs/family.ts";
import { relativeOutputError } from "../../proofs_checks/measures/spectral.ts";
import type { Setting } from "../errors/rivals.ts";
import { median } from "../markdown.ts";
import type { Rerun } from "./rerun.ts";

/** Seeds of a method that draws. */
export const SEEDS = 20;
/** Medians agree within this share of what was recorded. */
export const SHARE = 0.15;

/** A setting on an input: what was recorded, and what we measure. */
export interface Agreement {
  readonly implementation: string;
  readonly variant: string;
  readonly size?: number;
  readonly input: string;
  /** Median and range of the public code. */
  readonly recorded: readonly [median: number, least: number, most: number];
  readonly ours: readonly number[];
  /** Whether our median lies within {@link SHARE} of theirs, or within their range. */
  readonly agrees: boolean;
  /** A fault of the public code that may be why not. */
  readonly fault?: string;
}

/** Runs a setting on an input with several seeds, and compares the errors with those recorded; undefined if none was. */
export async function compareWithRecorded(
  backend: Backend,
  setting: Setting,
  rerun: Rerun,
  { name, query, key, value, scale }: NamedInput,
  seeds = SEEDS,
): Promise<Agreement | undefined> {
  const run = setting.runs[name];
  if (!run) return undefined;
  const problem = makeProblem(query, key, value, { scale }), shape = problem.outputShape;
  const target = rerun.target?.(problem) ?? problem;
  const found = rerun.exact?.(backend, problem) ??
    exactAttention(backend, target).then(({ output }) => output);
  const exact = tensor((await found).slice(), shape), ours: number[] = [];
  backend.reset();
  for (let seed = 1; seed <= (rerun.random ? Math.min(seeds, rerun.seeds ?? seeds) : 1); seed++) {
    const output = await rerun.run(backend, problem, seed);
    ours.push(Math.max(...relativeOutputError(tensor(output, shape), exact)));
    backend.reset();
  }
  const [, , , middle, least, most] = run, own = median(ours);
  const agrees = Math.abs(own / middle - 1) <= SHARE || own >= least && own <= most;
  const { implementation, variant = "", size } = setting;
  return {
    ...{ implementation, variant, size, input: name },
    ...{ recorded: [middle, least, most] as const, ours, agrees, fault: rerun.fault },
  };
}
