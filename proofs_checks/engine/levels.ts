import type { Choice, Chosen } from "./choose_cases.ts";
import type { Claim, LargeSetting } from "./claim.ts";

/**
 * How much a verification undertakes: minutes on one machine, with each claim's own small inputs and a probability of failure that few runs
 * decide on; several times as much, at settings that a user would ask for; or what clusters are for.
 */
export const levels = ["quick", "standard", "thorough"] as const;
/** One of {@link levels}. */
export type Level = typeof levels[number];

/** What a level asks for beyond the claims' own settings. */
interface LevelSettings {
  /** δ of guarantees. */
  readonly delta: number;
  /** Most runs of a case, at least: with fewer no such probability is confirmed. */
  readonly leastRuns: number;
  readonly large: (claim: Claim) => LargeSetting | undefined;
}

const SETTINGS: Readonly<Record<Exclude<Level, "quick">, LevelSettings>> = {
  standard: { delta: 0.05, leastRuns: 400, large: ({ standard }) => standard },
  thorough: { delta: 0.05, leastRuns: 2000, large: ({ thorough, standard }) => thorough ?? standard },
};

/** δ at a level; undefined where each claim has its own. */
export function deltaOf(level: Level): number | undefined {
  return level === "quick" ? undefined : SETTINGS[level].delta;
}

/** Those of some cases that a level checks: claims that take many runs only where they are named, or more is undertaken than a quick one. */
export function casesAt(cases: readonly Chosen[], level: Level, named: Choice["claims"]): readonly Chosen[] {
  return named || level !== "quick" ? cases : cases.filter(([{ from }]) => from === undefined);
}

/** A case as a level has it; what it does not ask for stays as it is. */
export function atLevel([claim, claimCase]: Chosen, level: Level): Chosen {
  if (level === "quick") return [claim, claimCase];
  const { leastRuns, large } = SETTINGS[level], setting = large(claim);
  // Slopes are tested once, after a number of runs that their claims fix.
  const isFixed = claim.rule.kind === "slope";
  const atLeast = (runs: number) => isFixed ? runs : Math.max(leastRuns, runs);
  const changed = {
    ...claim,
    runs: atLeast(claim.runs),
    ...(setting?.families.includes(claimCase.source.name) &&
      { n: setting.n, runsPerInput: setting.runsPerInput ?? 1 }),
  };
  return [changed, { ...claimCase, ...(claimCase.runs && { runs: atLeast(claimCase.runs) }) }];
}
