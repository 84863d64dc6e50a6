import { assert, assertLessOrEqual } from "@std/assert";
import { openDevice } from "../../mod.ts";
import { Campaign } from "./campaign.ts";
import { certifiedRun } from "./certified_run.ts";

Deno.test("no certificate is false in a short campaign", async () => {
  using device = await openDevice({ prefer: "wasm" });
  const campaign = new Campaign(), seed = 31, runs = 50;
  for (let index = 0; index < runs; index++) {
    const run = await certifiedRun(device, seed, index), wrong = campaign.add(run);
    assert(!(wrong && run.certificate?.kind === "exact"), `run ${index} of seed ${seed}: ${run.what}`);
  }
  assert(campaign.passed, campaign.summary());
  // It would be easy to pass by refusing, or by never approximating.
  assertLessOrEqual(runs / 3, campaign.held.exact + campaign.held.bound, campaign.summary());
  assert(campaign.held.bound > 0, campaign.summary());
});
