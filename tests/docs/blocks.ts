import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import guarantees from "../../bench/guarantees.json" with { type: "json" };
import mutants from "../mutation/results.json" with { type: "json" };
import standard from "../../bench/standard_verification.json" with { type: "json" };
import standing from "../../bench/standing.json" with { type: "json" };
import {
  type KeptVerification,
  verificationHead,
  verificationRows,
  verificationSummary,
} from "../../bench/kept_verification.ts";
import { type Standing, standingHead, standingLines, standingRows } from "../../bench/standing.ts";
import { permissionRows } from "../../commands/least_permissions.ts";
import { root } from "../child.ts";
import { rivalNames } from "../method_names.ts";
import {
  approximateMethods,
  type ApproximateName,
  methods,
  ourNames,
  summaryOf,
} from "../../estimators/methods/methods.ts";
import { claims } from "../../proofs_checks/claims/claims.ts";
import { families } from "../../proofs_checks/inputs/families.ts";
import { workloadNames } from "../../workloads/workloads.ts";
import { FLOORS } from "../structure/floors.ts";
import { mutantCounts, mutantHead, mutantRows } from "./mutant_rows.ts";
import { optionRows } from "./option_rows.ts";
import type { Results } from "../mutation/results.ts";

const rivals: ReadonlySet<string> = new Set(rivalNames);

/** Lines of the documents that are written from the code, by the word of their markers. */
export const blocks: Readonly<Record<string, () => string | Promise<string>>> = {
  methods: () =>
    table(
      ["`method`", "what it does"],
      methods.filter((name) => !rivals.has(name)).map((name) => [`\`${name}\``, summaryOf(name)]),
    ),
  rivals: () =>
    table(
      ["`method`", "what it does", "promises", "on the host"],
      rivalNames.map((name) => {
        const { summary, promise, onHost } = approximateMethods[name];
        return [`\`${name}\``, summary, promise ?? "–", onHost ?? "–"];
      }),
    ),
  "rival-sources": () => sourcesOf(rivalNames),
  sources: () => sourcesOf(ourNames),
  standing: () => table(standingHead, standingRows(standing satisfies Standing as Standing)),
  "standing-lines": () => standingLines(standing as Standing, rivals),
  guarantees: guaranteeTable,
  "mutant-counts": () => mutantCounts(mutants as Results),
  mutants: () => table(mutantHead, mutantRows(mutants as Results, false)),
  "generated-mutants": () => table(mutantHead, mutantRows(mutants as Results, true)),
  "standard-summary": () => verificationSummary(standard as KeptVerification),
  standard: () => table(verificationHead, verificationRows(standard as KeptVerification)),
  options: async () => table(["option", "what it is"], await optionRows("AttentionOptions")),
  "robust-options": async () => table(["option", "what it is"], await optionRows("RobustAttentionOptions")),
  "device-options": async () => table(["option", "what it is"], await optionRows("OpenDeviceOptions")),
  counts: () =>
    `${claims.length} claims (lemmas of the paper, the certificate, invariances, exact cases) on ${families.length} ` +
    "families of inputs, random and adversarial, and on inputs that are searched for.",
  workloads: () => `The workloads: ${workloadNames.map((name) => `\`${name}\``).join(", ")}.`,
  permissions: () => table(["use", "permissions", "commands"], permissionRows.map(permissionCells)),
  "cluster-scripts": clusterScripts,
  floors: () =>
    [...FLOORS].reverse().map((prefixes) => `- ${prefixes.map((prefix) => `\`${prefix}\``).join(", ")}`)
      .join("\n"),
};

/** How the table of guarantees says what became of one. */
const OUTCOMES: Readonly<Record<string, string>> = {
  holds: "holds",
  refuted: "**refuted**",
  inconclusive: "?",
  "not-applicable": "·",
  error: "–",
};

/**
 * Guarantees on families, as measured last.
 *
 * @throws {Error} If claims or families are others now.
 */
function guaranteeTable(): string {
  const promises = claims.filter(({ promisedBy }) => promisedBy !== undefined);
  const names = families.map(({ name }) => name).filter((name) => !name.startsWith("shape-"));
  const known = guarantees.claims.join() === promises.map(({ name }) => name).join() &&
    names.every((name, at) => name === guarantees.families[at]);
  if (!known) {
    throw new Error("bench/guarantees.json is of other claims or families: run deno task bench guarantees");
  }
  return table(
    ["inputs", ...promises.map(({ name, promisedBy }) => `\`${promisedBy}\`: ${name}`)],
    guarantees.families.map((family, at) => [
      family,
      ...guarantees.outcomes[at].map((outcome) => outcome === null ? "" : OUTCOMES[outcome]),
    ]),
  );
}

/** Scripts for clusters, each whole. */
function clusterScripts(): string {
  const folder = "docs/cluster";
  return readdirSync(join(root, folder)).sort().map((name) =>
    `\`${folder}/${name}\`:\n\n\`\`\`bash\n${readFileSync(join(root, folder, name), "utf8").trim()}\n\`\`\``
  ).join("\n\n");
}

function sourcesOf(names: readonly ApproximateName[]): string {
  return table(
    ["`method`", "comes from", "seed matters", "keeps to its budget"],
    names.map((name) => {
      const { source, random, withinBudget } = approximateMethods[name];
      return [`\`${name}\``, source, random ? "yes" : "no", withinBudget ? "yes" : "no"];
    }),
  );
}

function permissionCells({ use, flags, folder, commands }: typeof permissionRows[number]): string[] {
  return [
    use.replace(/--[a-z-]+( [A-Z][\w.]*)*/g, (option) => `\`${option}\``),
    (flags ? `\`${flags}\`` : "none") + (folder === undefined ? "" : `; ${folder}`),
    commands.map((name) => `\`${name}\``).join(", "),
  ];
}

/** A Markdown table. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
