import { attendByFeatures } from "../../estimators/methods/rivals/performer/performer.ts";
import type { Setting } from "../errors/rivals.ts";
import type { FindRerun, Rerun } from "./rerun.ts";

/** Performer with plain normal directions. */
export const rerunPerformer: FindRerun = ({ size }: Setting): Rerun | undefined => ({
  random: true,
  run: async (backend, problem, seed) =>
    (await attendByFeatures(backend, problem, { ...problem, at: 0 }, { features: size! }, seed)).output,
});
