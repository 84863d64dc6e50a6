/** Whose guarantee holds where: every guarantee of a method, on every family of inputs and on real data. */
import { writeWhole } from "../files/write_whole.ts";
import { openDevice } from "../mod.ts";
import { claims } from "../proofs_checks/claims/claims.ts";
import { verify } from "../proofs_checks/engine/verify.ts";
import { decide } from "../proofs_checks/engine/verdicts.ts";
import { families } from "../proofs_checks/inputs/families.ts";
import { realNames, realSources } from "../workloads/real_sources.ts";
import { markdownTable } from "./markdown.ts";
import { tell } from "./timing.ts";

/** What `guarantees.json` holds, from which docs/methods.md has its table. */
export interface GuaranteeRecord {
  readonly command: string;
  readonly seed: number;
  /** Names of claims, in the order of their registry. */
  readonly claims: readonly string[];
  /** Names of families, in the order of their registry, those of single claims and real data behind them. */
  readonly families: readonly string[];
  /** [families][claims]: the outcome; null where a claim was not asked, on inputs of others' own. */
  readonly outcomes: readonly (readonly (string | null)[])[];
}

const file = new URL("guarantees.json", import.meta.url);

/** Claims that are guarantees of methods. */
export const promises = claims.filter(({ promisedBy }) => promisedBy !== undefined);

/** The section. */
export async function guarantees([seed = 1]: readonly number[]): Promise<string> {
  using device = await openDevice({ prefer: "wasm" });
  // Odd shapes say nothing of a guarantee that the others do not say.
  const own = promises.flatMap(({ cases }) => cases.map(({ source }) => source.name));
  const square = families.map(({ name }) => name).filter((name) => !name.startsWith("shape-"));
  const names = [...new Set([...square, ...own.filter((name) => !name.startsWith("shape-")), ...realNames])];
  const { results } = await verify({
    claims: promises,
    families: names,
    sources: realSources(names, () => {}),
    seed,
    device,
    onResult: ({ claim, family, verdict }, done, total) =>
      tell(`${done} of ${total}: ${claim} on ${family}: ${verdict}`),
  });
  // The verdicts of this table share one level among them.
  const decided = decide(results.map(({ log_p: logP }) => logP), results.length);
  const outcome = (claim: string, family: string) => {
    const at = results.findIndex((result) => result.claim === claim && result.family === family);
    if (at < 0) return null;
    const { verdict } = results[at];
    return verdict === "error" || verdict === "not-applicable" ? verdict : decided[at].verdict;
  };
  const record: GuaranteeRecord = {
    command: seed === 1 ? "deno task bench guarantees" : `deno task bench guarantees ${seed}`,
    seed,
    claims: promises.map(({ name }) => name),
    families: names,
    outcomes: names.map((family) => promises.map(({ name }) => outcome(name, family))),
  };
  await writeWhole(file.pathname, `${JSON.stringify(record, null, 2)}\n`);
  const kinds = ["holds", "refuted", "inconclusive", "not-applicable", "error"];
  return [
    `${results.length} verdicts, which err together with a probability of at most .05, on ${names.length} kinds of inputs, ` +
    `${realNames.length} of them real; seed ${seed}. The whole table is in docs/methods.md. A guarantee says nothing where its bound ` +
    "exceeds what any mean of values keeps to, or where it asks for more keys than there are.",
    "",
    markdownTable(
      ["guarantee", "method", "holds", "refuted", "undecided", "says nothing", "could not run"],
      promises.map(({ name, promisedBy }, at) => [
        name,
        `\`${promisedBy}\``,
        ...kinds.map((kind) => String(record.outcomes.filter((row) => row[at] === kind).length)),
      ]),
    ),
  ].join("\n");
}
