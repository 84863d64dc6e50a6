// deno-fmt-ignore-file: AssemblyScript
import { logarithm } from "./logarithm";
import { blockStart } from "./partition";
import { multiplyHigh, randomWord } from "./random";

@unmanaged
class SampleArguments {
  importance: usize;
  index: usize;
  logWeight: usize;
  heads: u32;
  keys: u32;
  samples: u32;
  seedLow: u32;
  seedHigh: u32;
  purpose: u32;
  firstStream: u32;
}

/** Stratified sampling of one head; the sums run in the order of the reference, so that both pick the same keys. */
export function sampleKeysTask(operation: usize, head: u32): void {
  const args = changetype<SampleArguments>(operation);
  const keys = args.keys, samples = args.samples;
  const importance = args.importance + (<usize>head * keys << 2);
  let total: f64 = 0;
  for (let key: u32 = 0; key < keys; ++key) total += load<f32>(importance + (<usize>key << 2));
  const factor: f64 = total > 0 ? 1073741824.0 / total : 0;
  let weightTotal: u32 = 0;
  for (let key: u32 = 0; key < keys; ++key) weightTotal += weightOf(importance, key, factor);

  let key: u32 = 0, below: u32 = 0, weight = weightOf(importance, 0, factor);
  let index = args.index + (<usize>head * samples << 2),
    logWeight = args.logWeight + (<usize>head * samples << 2);
  for (let i: u32 = 0; i < samples; ++i) {
    const start = blockStart(i, weightTotal, samples), size = blockStart(i + 1, weightTotal, samples) - start;
    const random = randomWord(args.seedLow, args.seedHigh, args.purpose, args.firstStream + head, i);
    const target = start + multiplyHigh(random, size);
    while (below + weight <= target) {
      below += weight;
      weight = weightOf(importance, ++key, factor);
    }
    store<u32>(index, key);
    store<f32>(logWeight, <f32>logarithm(<f64>weightTotal / <f64>samples / <f64>weight));
    index += 4;
    logWeight += 4;
  }
}

@inline
function weightOf(importance: usize, key: u32, factor: f64): u32 {
  return 1 + <u32>(<f64>load<f32>(importance + (<usize>key << 2)) * factor);
}
