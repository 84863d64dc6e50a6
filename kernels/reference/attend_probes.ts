import type { DeviceArray, PartialAttention } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import { begin, type Steps } from "./steps.ts";
import { attend } from "./attend.ts";
import { softmaxRows } from "./softmax_rows.ts";

/** Attention of few queries together with its probabilities. */
export function* attendProbes(
  args: Arguments<"attendProbes">,
): Steps<PartialAttention & { probabilities: DeviceArray }> {
  const attending = attend(args), weighing = softmaxRows(args);
  yield { ...begin(attending), probabilities: begin(weighing) };
  yield* attending as Steps<never>;
  yield* weighing as Steps<never>;
}
