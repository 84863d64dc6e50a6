/** The short form of `deno task bench fidelity`: every implementation, on the shortest input that public codes were run on. */
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { requireRecorded } from "../../bench/errors/inputs.ts";
import { type Setting, settings } from "../../bench/errors/rivals.ts";
import { compareWithRecorded, SEEDS } from "../../bench/fidelity/agreement.ts";
import type { Rerun } from "../../bench/fidelity/rerun.ts";
import { reruns } from "../../bench/fidelity/reruns.ts";
import { openDevice, runJob } from "../../kernels/device.ts";
import type { NamedInput } from "../../proofs_checks/inputs/family.ts";
import { loadWorkload } from "../../workloads/workloads.ts";

const INPUT = "sentence-encoder n=2048 2.0";

let loaded: Promise<NamedInput> | undefined;
/** Loaded once for all tests, and the very bits that the public codes had. */
function input(): Promise<NamedInput> {
  return loaded ??= (async () => {
    const head = { ...await loadWorkload("sentence-encoder", { n: 2048, head: "2.0" }), name: INPUT };
    await requireRecorded(head);
    return head;
  })();
}

/** The smallest setting whose run has no fault less than the public code's. */
function settingOf(implementation: string): readonly [Setting, Rerun] | undefined {
  return settings.filter((setting) => setting.implementation === implementation && INPUT in setting.runs)
    .map((setting) => [setting, reruns[implementation](setting)] as const)
    .filter((pair): pair is readonly [Setting, Rerun] => pair[1] !== undefined && pair[1].fault === undefined)
    .sort(([a], [b]) => (a.size ?? 0) - (b.size ?? 0))[0];
}

Deno.test("fidelity: every implementation whose figures were recorded is run again", () => {
  assertEquals(
    Object.keys(reruns).sort(),
    [...new Set(settings.map(({ implementation }) => implementation))].sort(),
  );
});

for (const implementation of Object.keys(reruns)) {
  Deno.test(`fidelity: ${implementation} errs as its public code was seen to`, async () => {
    const found = settingOf(implementation);
    assert(found, "no setting of it was recorded on this input");
    const [setting, rerun] = found, head = await input();
    using device = await openDevice({ prefer: "wasm" });
    const agreement = (await runJob(
      device,
      (backend) => compareWithRecorded(backend, setting, { ...rerun, seeds: undefined }, head),
    ))!;
    assertGreaterOrEqual(agreement.ours.length, rerun.random ? SEEDS : 1);
    assert(agreement.agrees, JSON.stringify(agreement));
  });
}
