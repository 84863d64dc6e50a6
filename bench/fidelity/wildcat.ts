import type { TemperatureRule } from "../../estimators/methods/rivals/wildcat/temperature.ts";
import { attendPivots } from "../../estimators/methods/rivals/wildcat/wildcat.ts";
import type { Setting } from "../errors/rivals.ts";
import type { FindRerun, Rerun } from "./rerun.ts";

/** Bins and temperature rule of the recorded ways. */
const WAYS: Readonly<Record<string, readonly [bins: number, rule: TemperatureRule]>> = {
  "8 bins": [8, "constant"],
  "constant, query norm": [1, "constant"],
  "Lambert, query norm": [1, "lambert"],
  "Lambert, key norm": [1, "lambert-of-keys"],
};

/** WildCat with the recorded rank. */
export const rerunWildcat: FindRerun = ({ variant = "", size }: Setting): Rerun | undefined => {
  const way = WAYS[variant];
  if (!way) return undefined;
  const [bins, rule] = way;
  return {
    random: true,
    run: async (backend, problem, seed) => {
      const budget = { bucketSize: 1, samples: 0, seed };
      return (await attendPivots(backend, problem, budget, { pivots: size!, bins, rule })).output;
    },
  };
};
