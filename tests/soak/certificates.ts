/**
 * Certified attention on problems of every kind: how often is a certificate false? `--runs`, `--seed`, `--device`, `--method`;
 * `--only I` replays one run. Exits with 1 on a false certificate that is certain, or more of those with a
 * probability than it allows.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { openDevice } from "../../mod.ts";
import type { DeviceKind } from "../../kernels/backend.ts";
import { freshSeed } from "../../estimators/certified/check_seed.ts";
import { methods } from "../../estimators/methods/methods.ts";
import { Campaign } from "./campaign.ts";
import { certifiedRun } from "./certified_run.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000" },
    seed: { type: "string", default: String(freshSeed() % 2 ** 31) },
    device: { type: "string", default: "wasm" },
    method: { type: "string" },
    only: { type: "string" },
  },
});
const method = methods.find((name) => name === values.method);
if (values.method !== undefined && !method) throw new Error(`--method must be one of ${methods.join(", ")}`);
const seed = Number(values.seed), runs = Number(values.runs), first = Number(values.only ?? 0);
const end = values.only === undefined ? runs : first + 1, campaign = new Campaign();
using device = await openDevice({ prefer: values.device as DeviceKind });
console.log(`seed ${seed}, ${end - first} runs on ${device.adapter}`);
for (let index = first; index < end; index++) {
  const run = await certifiedRun(device, seed, index, method), wrong = campaign.add(run);
  if (wrong || values.only !== undefined) console.log(`${run.what}\n${JSON.stringify(run.certificate)}`);
  if (wrong) {
    console.log(
      `FALSE by a factor of ${run.share}; replay: deno run -A --no-lock tests/soak/certificates.ts ` +
        `--seed ${seed} --only ${index} --device ${values.device}${method ? ` --method ${method}` : ""}`,
    );
  }
  if ((index + 1) % 100 === 0) console.log(campaign.summary());
}
console.log(campaign.summary());
process.exitCode = campaign.passed ? 0 : 1;
