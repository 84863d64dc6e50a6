import type { Backend } from "../../kernels/backend.ts";
import type { Problem } from "../../estimators/core/problem.ts";
import type { Setting } from "../errors/rivals.ts";

/** A recorded setting of a public code, in our words. */
export interface Rerun {
  /** Our method with the recorded options: the output [queries, valueFeatures] of a problem of one head. */
  readonly run: (backend: Backend, problem: Problem, seed: number) => Promise<Float32Array>;
  /** The problem whose exact attention is the target, where it is another one than that which is asked. */
  readonly target?: (problem: Problem) => Problem;
  /** The target itself, where it is no softmax attention that a problem can say. */
  readonly exact?: (backend: Backend, problem: Problem) => Promise<Float32Array>;
  /** Whether seeds matter. */
  readonly random: boolean;
  /** Seeds that suffice where runs take long and differ little; else as many as the section takes. */
  readonly seeds?: number;
  /** Why it does not agree where it should not: a fault of the public code that this run does not have. */
  readonly fault?: string;
}

/** Finds our words for a setting of one implementation; undefined where it was not built. */
export type FindRerun = (setting: Setting) => Rerun | undefined;
