import { median } from "./markdown.ts";

/** A setting and what it errs. */
export interface Measured<Setting> {
  readonly setting: Setting;
  readonly errors: readonly number[];
  /** Whether the median of the errors is as small as was asked for. */
  readonly reached: boolean;
}

/** The first of several settings, cheapest first, whose median error is at most `target`; else that with the least. */
export async function firstGoodEnough<Setting>(
  settings: Iterable<Setting>,
  target: number,
  errorsOf: (setting: Setting) => Promise<readonly number[]>,
): Promise<Measured<Setting>> {
  let best: Measured<Setting> | undefined;
  for (const setting of settings) {
    const errors = await errorsOf(setting), found = median(errors);
    if (found <= target) return { setting, errors, reached: true };
    if (!best || found < median(best.errors)) best = { setting, errors, reached: false };
  }
  if (!best) throw new RangeError("Cannot choose: there are no settings");
  return best;
}
