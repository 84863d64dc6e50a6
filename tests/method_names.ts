import { approximateMethods, type ApproximateName, ourNames } from "../estimators/methods/methods.ts";

/** The names of all approximate methods. */
export const approximateNames = Object.keys(approximateMethods) as ApproximateName[];

/** Those of others. */
export const rivalNames = approximateNames.filter((name) => !ourNames.includes(name));
