import { attendScattered } from "../../estimators/methods/rivals/scatterbrain/scatterbrain.ts";
import { windowsWithin } from "../../estimators/methods/rivals/scatterbrain/windows.ts";
import type { Setting } from "../errors/rivals.ts";
import type { FindRerun, Rerun } from "./rerun.ts";

/** ScatterBrain with a window of a third of the size and as many pairs of directions; our windows go by blocks, theirs slide. */
export const rerunScatterbrain: FindRerun = ({ size }: Setting): Rerun | undefined => ({
  random: true,
  run: async (backend, problem, seed) => {
    const windows = windowsWithin(problem.queries, problem.keys, size! / 3);
    const options = { features: size! * 2 / 3, orthogonal: true, paired: true };
    return (await attendScattered(backend, problem, { ...problem, at: 0 }, windows, options, seed)).output;
  },
});
