// deno-fmt-ignore-file: AssemblyScript
import { LEAST_MASS } from "../../constants";
import { memberOfPart } from "./member_of_part";
import { addScaled, innerProduct } from "./simd";

@unmanaged
class CentreArguments {
  key: usize;
  query: usize;
  probabilities: usize;
  logSumExp: usize;
  output: usize;
  mean: usize;
  pointKey: usize;
  pointValue: usize;
  logMass: usize;
  keys: u32;
  features: u32;
  valueFeatures: u32;
  probes: u32;
  scale: f32;
  every: u32;
}

/** The point that stands for all keys of a head. */
export function fitCentreTask(operation: usize, head: u32, scratch: usize): void {
  const args = changetype<CentreArguments>(operation);
  const keys = args.keys, features = args.features, probes = args.probes, stride = <usize>features << 2;
  const point = args.pointKey + head * stride, rowBytes = <usize>keys << 2;
  const rows = args.probabilities + head * probes * rowBytes, key = args.key + head * keys * stride;
  let total: f64 = 0;
  memory.fill(point, 0, stride);
  const every = args.every, taken = (keys + every - 1) / every;
  for (let at: u32 = 0; at < taken; ++at) {
    const j = memberOfPart(at, every, keys);
    let mass = <f32>LEAST_MASS, from = rows + (<usize>j << 2);
    for (let i: u32 = 0; i < probes; ++i, from += rowBytes) mass += load<f32>(from);
    total += mass;
    addScaled(point, key + j * stride, mass, features);
  }
  for (let at = point; at < point + stride; at += 4) store<f32>(at, <f32>(<f64>load<f32>(at) / total));

  const width = args.valueFeatures, valueStride = <usize>width << 2;
  const mean = args.mean + head * valueStride, outputs = args.output + head * probes * valueStride;
  for (let c: u32 = 0; c < width; ++c) {
    const at = <usize>c << 2, centre = <f64>load<f32>(mean + at);
    let sum: f64 = 0;
    for (let i: u32 = 0; i < probes; ++i) sum += <f64>load<f32>(outputs + i * valueStride + at) - centre;
    store<f64>(scratch + (at << 1), sum);
  }
  let cross: f64 = 0, square: f64 = 0;
  for (let i: u32 = 0; i < probes; ++i) {
    for (let at: usize = 0; at < valueStride; at += 4) {
      const x = <f64>load<f32>(outputs + i * valueStride + at) - <f64>load<f32>(mean + at);
      const others = load<f64>(scratch + (at << 1)) - x;
      cross += x * others;
      square += others * others;
    }
  }
  const share = square > 0 ? max<f64>(0, min<f64>(1, <f64>(probes - 1) * cross / square)) : 0;
  const value = args.pointValue + head * valueStride;
  for (let at: usize = 0; at < valueStride; at += 4) {
    store<f32>(value + at, <f32>(<f64>load<f32>(mean + at) + share * load<f64>(scratch + (at << 1)) / probes));
  }

  let logMass: f64 = 0;
  for (let i: u32 = 0; i < probes; ++i) {
    const row = <usize>head * probes + i;
    logMass += <f64>load<f32>(args.logSumExp + (row << 2)) -
      <f64>(args.scale * innerProduct(args.query + row * stride, point, features));
  }
  store<f32>(args.logMass + (<usize>head << 2), <f32>(logMass / probes));
}
