import { attendByFeatures } from "../../estimators/methods/rivals/performer/performer.ts";
import type { FindRerun } from "./rerun.ts";

/** Performer with plain normal directions. */
export const rerunPerformer: FindRerun = ({ size }) => ({
  random: true,
  run: async (backend, problem, seed) =>
    (await attendByFeatures(backend, problem, { ...problem, at: 0 }, { features: size! }, seed)).output,
});
