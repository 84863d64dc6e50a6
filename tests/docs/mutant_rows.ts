import { harmlessChanges } from "../mutation/generated/harmless.ts";
import { listed } from "../mutation/listed.ts";
import { changeOf, type Result, type Results } from "../mutation/results.ts";

/** Head of the table of mutants. */
export const mutantHead: readonly string[] = ["mutant", "fault", "noticed by", "after"];

/** Those that people made up, in the order of their list, or those that a program did. */
export function mutantRows({ results }: Results, generated: boolean): string[][] {
  if (generated) return results.filter((result) => result.generated && isProgram(result)).map(rowOf);
  return listed.map((mutant) => {
    const result = results.find(({ id, change }) => id === mutant.id && change === changeOf(mutant));
    return result ? rowOf(result) : [`${mutant.id} \`${mutant.file}\``, mutant.fault, "not tried yet", ""];
  });
}

/** Why nothing needs to notice it, if nothing does. */
function harmlessness({ id, change, generated, kill }: Result): string | undefined {
  if (kill) return undefined;
  return generated ? harmlessChanges[change] : listed.find((mutant) => mutant.id === id)?.harmless;
}

function rowOf(result: Result): string[] {
  const { id, file, fault, kill, tried, level, verify } = result, why = harmlessness(result);
  const name = id.startsWith(file) ? `\`${id.split(":").slice(0, 3).join(":")}\`` : `${id} \`${file}\``;
  if (!kill) {
    return [
      name,
      fault,
      why ? `harmless: ${why}` : "**survives**",
      `${tried.length} ${level === "likely" ? "likely " : ""}claims`,
    ];
  }
  if (kill.by !== "claim") return [name, fault, kill.by, kill.by === "tests" ? `\`${kill.name}\`` : ""];
  const runs = kill.runs === undefined ? "" : `${kill.runs} ${kill.runs === 1 ? "run" : "runs"}`;
  return [
    name,
    fault,
    `\`${kill.name}\`${kill.family === undefined ? "" : ` on ${kill.family}`}${
      verify === "standard" ? ", standard" : ""
    }`,
    runs,
  ];
}

/** Whether a mutant is one that the compiler takes: another is no fault that anybody could run. */
function isProgram({ kill }: Result): boolean {
  return kill?.by !== "build";
}

/** How many were noticed, and by what. */
export function mutantCounts({ results }: Results): string {
  const known = results.filter(({ id, change, generated }) =>
    generated || listed.some((mutant) => mutant.id === id && changeOf(mutant) === change)
  );
  const lines = [false, true].map((generated) => {
    const own = known.filter((result) => result.generated === generated && isProgram(result));
    const of = (by: string) => own.filter(({ kill }) => kill?.by === by).length;
    const left = own.filter(({ kill }) => kill === null),
      harmless = left.filter(harmlessness).length;
    const broken = results.filter((result) => result.generated === generated && !isProgram(result)).length;
    return `- ${generated ? "Made by operators" : "Listed"}: ${own.length} tried, of which ${
      of("claim")
    } were noticed by a claim, ${of("self test")} by the self test of a device, ${
      of("tests")
    } by tests alone, ${
      of("crash") + of("hang")
    } because the command crashed or hung, and ${left.length} by nothing${
      harmless > 0 ? ` (${harmless} of these break no guarantee)` : ""
    }.${broken > 0 ? ` ${broken} more are no programs.` : ""}`;
  });
  const trees = new Set(known.map(({ tree }) => tree));
  return [...lines, `- Sources: ${[...trees].map((tree) => `\`${tree}\``).join(", ")}.`].join("\n");
}
