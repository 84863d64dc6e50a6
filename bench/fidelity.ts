/** Methods of others, ours beside their public codes: errors at the recorded options, on the inputs on which these ran. */
import { openDevice } from "../mod.ts";
import { runJob } from "../kernels/device.ts";
import { comparedInputs, requireRecorded } from "./errors/inputs.ts";
import { settings } from "./errors/rivals.ts";
import { type Agreement, compareWithRecorded, SEEDS, SHARE } from "./fidelity/agreement.ts";
import { reruns } from "./fidelity/reruns.ts";
import { digits, markdownTable, median, medianAndRange } from "./markdown.ts";
import { tell } from "./timing.ts";

/** The section. */
export async function fidelity([seeds = SEEDS]: readonly number[]): Promise<string> {
  using device = await openDevice({ prefer: "wasm" });
  const found: Agreement[] = [];
  for await (const input of comparedInputs()) {
    await requireRecorded(input);
    for (const setting of settings) {
      const rerun = reruns[setting.implementation]?.(setting);
      if (!rerun) continue;
      const agreement = await runJob(
        device,
        (backend) => compareWithRecorded(backend, setting, rerun, input, seeds),
      );
      if (!agreement) continue;
      found.push(agreement);
      const { implementation, size = "", recorded: [theirs], ours, agrees } = agreement;
      tell(
        `${input.name}, ${implementation} ${size}: ${digits(median(ours))}, recorded ${digits(theirs)}${
          agrees ? "" : ": DIFFERS"
        }`,
      );
    }
  }
  return [
    `Errors ‖Att~ − Att‖ / ‖Att‖ of our forms of others' methods, with the options of \`rival_errors.json\`, over up to ${seeds} seeds, ` +
    `fewer where a run takes long and one where seeds do not matter, beside what their public codes were recorded with. They agree if our median is within ` +
    `${100 * SHARE} per cent of theirs, or within their range.`,
    summaryTable(found),
    ...differences(found),
  ].join("\n\n");
}

/** How many settings on how many inputs agree. */
function summaryTable(found: readonly Agreement[]): string {
  const names = [...new Set(found.map(({ implementation }) => implementation))];
  return markdownTable(
    ["implementation", "settings on inputs", "agree", "ours : theirs"],
    names.map((name) => {
      const own = found.filter(({ implementation }) => implementation === name);
      const ratios = own.map(({ ours, recorded: [theirs] }) => median(ours) / theirs);
      const agree = own.filter(({ agrees }) => agrees).length;
      return [name, String(own.length), String(agree), medianAndRange(ratios)];
    }),
  );
}

/** Each setting that does not agree. */
function differences(found: readonly Agreement[]): string[] {
  const apart = found.filter(({ agrees }) => !agrees);
  if (apart.length === 0) return ["All agree."];
  return [
    "Where they do not agree:",
    markdownTable(
      [
        "implementation",
        "variant",
        "size",
        "input",
        "seeds",
        "ours",
        "theirs",
        "known fault of the public code",
      ],
      apart.map(({ implementation, variant, size, input, ours, recorded: [middle, least, most], fault }) => [
        ...[implementation, variant, String(size ?? ""), input, String(ours.length), medianAndRange(ours)],
        ...[`${digits(middle)} (${digits(least)}–${digits(most)})`, fault ?? "–"],
      ]),
    ),
  ];
}
