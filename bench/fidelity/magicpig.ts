import { attendHashed, tablesOf } from "../../estimators/methods/rivals/magicpig/magicpig.ts";
import type { Setting } from "../errors/rivals.ts";
import type { FindRerun, Rerun } from "./rerun.ts";

/** Keys that all queries see, and bits of a table. */
const SINKS = 4, BITS = 10;

/** The authors' rule: two collisions, weights 1/(u + 10⁻⁴); with the public defaults where no size is given. */
export const rerunOfficial: FindRerun = ({ size }: Setting): Rerun | undefined =>
  rerun(size, { space: "centred", collisions: 2, recent: size === undefined ? 64 : 0, added: 1e-4 });

/** The rule of a port: one collision, keys lifted to one length, queries moved by the mean key. */
export const rerunPort: FindRerun = ({ size }: Setting): Rerun | undefined =>
  rerun(size, { space: "lifted", collisions: 1, recent: 0 });

function rerun(
  size: number | undefined,
  options: Pick<Parameters<typeof attendHashed>[3], "space" | "collisions" | "recent" | "added">,
): Rerun {
  return {
    random: true,
    // Tables of all keys for each seed: few seeds of the many tables that two collisions take.
    seeds: options.collisions > 1 ? 9 : undefined,
    run: async (backend, problem, seed) => {
      const head = { ...problem, at: 0 }, shape = { ...options, bits: BITS };
      const tables = size === undefined ? 150 : tablesOf(problem, head, shape, size - SINKS, 0).tables;
      return (await attendHashed(backend, problem, head, { ...shape, tables, sinks: SINKS }, seed)).output;
    },
  };
}
