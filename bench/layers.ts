/** The layers of the paper on random, clustered and real inputs: what it takes to err no more than the published code. */
import { attention, type AttentionResult, type Device, openDevice } from "../mod.ts";
import type { NamedInput } from "../proofs_checks/inputs/family.ts";
import { oneHead } from "./heads.ts";
import { layerErrors, type Setting } from "./layers/errors.ts";
import { DRAWS, layerInputs, layers as paperLayers } from "./layers/inputs.ts";
import { digits, markdownTable, median, medianAndRange, millisecondsOf, ratiosOf } from "./markdown.ts";
import { tell } from "./timing.ts";
import { timeInTurn, warmUp } from "../proofs_checks/comparison/time_in_turn.ts";

const WARM_UP_MS = 1500;
/** Where exact attention takes longer than so many seconds there are at most so many rounds. */
const SLOW = 2, FEW_ROUNDS = 5;
/** On which devices, how many draws at once, and by whose clock: from input to output, or what the device itself computes. */
const TIMED = [
  { kind: "wasm", batch: 1, clock: "host" },
  { kind: "wasm", batch: DRAWS, clock: "host" },
  { kind: "webgpu", batch: DRAWS, clock: "host" },
  { kind: "webgpu", batch: 1, clock: "device" },
  { kind: "webgpu", batch: DRAWS, clock: "device" },
] as const;
type Clock = typeof TIMED[number]["clock"];

/** Seconds of exact attention and of ours in interleaved rounds, and what ours evaluated. */
async function race(
  head: NamedInput,
  { perQuery: _, ...setting }: Setting,
  rounds: number,
  device: Device,
  clock: Clock,
) {
  const { query, key, value, scale } = head;
  const exactly = () => attention(query, key, value, { method: "exact", scale, device });
  const ours = (seed: number) => attention(query, key, value, { ...setting, seed, scale, device });
  const { stats: { seconds: exactSeconds } } = await warmUp(exactly, WARM_UP_MS);
  const { stats } = await warmUp(() => ours(1), WARM_UP_MS);
  const secondsOf = async (call: Promise<AttentionResult>) => {
    const before = device.busySeconds, { seconds } = (await call).stats;
    return clock === "host" ? seconds : device.busySeconds! - before!;
  };
  const [exact, own] = await timeInTurn(
    [() => secondsOf(exactly()), (round) => secondsOf(ours(round))],
    exactSeconds > SLOW ? Math.min(rounds, FEW_ROUNDS) : rounds,
  );
  return {
    exact,
    own,
    evaluations: stats.keyEvaluations / (query.shape[0] * query.shape[1]),
    ran: stats.method,
  };
}

/** The section. */
export async function layers([seeds = 2, rounds = 11]: readonly number[]): Promise<string> {
  using wasm = await openDevice({ prefer: "wasm" });
  using webgpu = await openDevice({ prefer: "webgpu" });
  using clocked = await openDevice({ prefer: "webgpu", timed: true });
  const timed = TIMED.filter(({ clock }) => clock === "host" || clocked.busySeconds !== undefined);
  const devices = { wasm, webgpu }, errorRows: string[][] = [], timeRows: string[][] = [];
  /** By device and batch. */
  const ratios = new Map<string, number[]>();
  for (const layer of paperLayers) {
    const { queries, keys, features, valueFeatures } = layer.shape;
    for await (const head of layerInputs(layer)) {
      tell(`${layer.name}, ${head.name}`);
      const { published, ours } = await layerErrors(head, layer.published, seeds, wasm);
      const { setting, errors, reached } = ours;
      let counted = { evaluations: NaN, ran: "" };
      for (const { kind, batch, clock } of timed) {
        const inputs = batch === 1 ? oneHead(head, 0) : head;
        const found = await race(
          inputs,
          setting,
          rounds,
          clock === "device" ? clocked : devices[kind],
          clock,
        );
        const perRound = ratiosOf(found.exact, found.own);
        const name = `${kind}, batch ${batch}${clock === "device" ? ", by its own clock" : ""}`;
        counted = found;
        ratios.set(name, [...ratios.get(name) ?? [], median(perRound)]);
        timeRows.push([
          layer.name,
          head.name,
          name,
          millisecondsOf(found.exact),
          millisecondsOf(found.own),
          medianAndRange(perRound, (ratio) => digits(ratio, 3)),
        ]);
        tell(`  ${name}: ${medianAndRange(perRound)}`);
      }
      const { bucketSize, samples } = layer.published;
      const method = setting.method === counted.ran ? setting.method : `${setting.method} (${counted.ran})`;
      errorRows.push([
        `${layer.name}, ${queries} × ${keys}, d = ${features}, d_v = ${valueFeatures}`,
        head.name,
        `${bucketSize} + ${samples}`,
        medianAndRange(published),
        method + (reached ? "" : ", NOT reached"),
        `${setting.bucketSize} + ${setting.samples}`,
        medianAndRange(errors),
        digits(counted.evaluations, 3),
        digits(keys / counted.evaluations, 3),
      ]);
    }
  }
  const summary = [...ratios].map((
    [name, values],
  ) => [name, medianAndRange(values, (ratio) => digits(ratio, 3))]);
  const errorHead = [
    "layer",
    "input",
    "published keys",
    "published error",
    "ours",
    "asked keys",
    "our error",
  ];
  return [
    "What it takes to err no more than the authors' published code does at its budget on each layer (keys in the " +
    `block + sampled keys, for each query). ${DRAWS} draws of each input: normal values with standard normal logits; ` +
    "64 clusters common to queries and keys with the same spread of logits; and the heads of layer 1 of the sentence " +
    "encoder on stretches of text of that length, with scale 1/8, where biggan-512 takes the first 1024 keys of a " +
    "head and the values of all four heads side by side. The published code is computed in float64 " +
    "(`peers/published_kdeformer.ts`), for its error only. Ours is `auto` at the first budget of 8, 12, 16, 20, 28, " +
    "36, 48, 64, 96, 128 and 192 keys whose median error ‖Att~ − Att‖ / ‖Att‖ is no larger, else the first of `kdeformer-practical`, " +
    `\`calibrated\` and \`routed\`. Errors: ${seeds} seeds on each draw, median and range over all.`,
    markdownTable([...errorHead, "our evaluations per query", "keys : evaluations"], errorRows),
    `Times from the checked input to the output on the host, or, by the device's own clock, from the first dispatch to the ` +
    `last, without copies; ${rounds} interleaved rounds, ${FEW_ROUNDS} where exact attention takes over ${SLOW} seconds; a batch holds the draws, a batch of 1 the first. Ratios are taken round by round.`,
    markdownTable(["layer", "input", "device", "exact ms", "ours ms", "exact : ours"], timeRows),
    "Medians of these ratios over all layers and inputs:",
    markdownTable(["device", "exact : ours"], summary),
  ].join("\n\n");
}
