// deno-fmt-ignore-file: AssemblyScript
import { RIDGE } from "../../constants";
import { BAND_ROWS } from "../engine/layout";
import { CalibrateArguments } from "./calibrate_values";
import { addScaled, innerProduct, multiplyAdd, sumOfLanes, upToFour } from "./simd";

/** The lower half of BAND_ROWS rows of the Gram matrix of the design. */
export function calibrateGramTask(operation: usize, task: u32): void {
  const args = changetype<CalibrateArguments>(operation);
  const fitted = args.fitted, bands = (fitted + BAND_ROWS - 1) / BAND_ROWS, head = task / bands;
  const first = (task % bands) * BAND_ROWS, end = min<u32>(fitted, first + BAND_ROWS);
  const step = <usize>upToFour(args.most) << 2, rows = args.rows + head * args.probes * step;
  const line = <usize>upToFour(fitted) << 2, gram = args.gram + head * fitted * line;
  for (let i = first; i < end; i += 2) {
    // The row after the last one is the last one again.
    const a = rows + i * step, next = min<u32>(i + 1, end - 1), b = rows + next * step;
    for (let j: u32 = 0; j <= next; j += 2) {
      const other = min<u32>(j + 1, next), c = rows + j * step, d = rows + other * step;
      let ac = f32x4.splat(0), ad = ac, bc = ac, bd = ac;
      for (let at: usize = 0; at < step; at += 16) {
        const x = v128.load(a + at), y = v128.load(b + at), u = v128.load(c + at), v = v128.load(d + at);
        ac = multiplyAdd(x, u, ac);
        ad = multiplyAdd(x, v, ad);
        bc = multiplyAdd(y, u, bc);
        bd = multiplyAdd(y, v, bd);
      }
      store<f32>(gram + i * line + (<usize>j << 2), sumOfLanes(ac));
      store<f32>(gram + i * line + (<usize>other << 2), sumOfLanes(ad));
      store<f32>(gram + next * line + (<usize>j << 2), sumOfLanes(bc));
      store<f32>(gram + next * line + (<usize>other << 2), sumOfLanes(bd));
    }
  }
}

/** Solves (Gram + ridge·I) dual = residual of one head, and decides by the left-out residuals whether that helps. */
export function calibrateSolveTask(operation: usize, head: u32): void {
  const args = changetype<CalibrateArguments>(operation);
  const fitted = args.fitted, line = <usize>upToFour(fitted) << 2, matrix = head * fitted * line;
  const gram = args.gram + matrix, factor = args.factor + matrix, inverse = args.inverse + matrix;
  let trace: f64 = 0;
  for (let i: u32 = 0; i < fitted; ++i) trace += load<f32>(gram + i * line + (<usize>i << 2));
  const ridge = RIDGE * trace / fitted;
  for (let i: u32 = 0; i < fitted; ++i) {
    const row = factor + i * line;
    for (let j: u32 = 0; j < i; ++j) {
      const above = factor + j * line, at = <usize>j << 2;
      store<f32>(row + at, (load<f32>(gram + i * line + at) - innerProduct(row, above, j)) / load<f32>(above + at));
    }
    const at = <usize>i << 2, rest = <f64>load<f32>(gram + i * line + at) + ridge - innerProduct(row, row, i);
    // Rounding may leave a pivot of a nearly singular matrix at or below zero; the ridge is its true size there.
    store<f32>(row + at, <f32>sqrt<f64>(max<f64>(rest, ridge / 67108864)));
  }
  memory.fill(inverse, 0, fitted * line);
  for (let i: u32 = 0; i < fitted; ++i) {
    const row = inverse + i * line, from = factor + i * line, pivot: f32 = <f32>1 / load<f32>(from + (<usize>i << 2));
    for (let k: u32 = 0; k < i; ++k) {
      addScaled(row, inverse + k * line, -pivot * load<f32>(from + (<usize>k << 2)), k + 1);
    }
    store<f32>(row + (<usize>i << 2), pivot);
  }

  const diagonal = args.diagonal + head * line, stride = <usize>args.valueFeatures << 2;
  const residual = args.residual + head * fitted * stride, dual = args.dual + head * fitted * stride;
  const half = args.half + head * fitted * stride;
  memory.fill(diagonal, 0, line);
  memory.fill(half, 0, fitted * stride);
  memory.fill(dual, 0, fitted * stride);
  for (let i: u32 = 0; i < fitted; ++i) {
    const row = inverse + i * line, to = half + i * stride;
    for (let at: usize = 0; at < line; at += 16) {
      const x = v128.load(row + at);
      v128.store(diagonal + at, multiplyAdd(x, x, v128.load(diagonal + at)));
    }
    for (let j: u32 = 0; j <= i; ++j) {
      addScaled(to, residual + j * stride, load<f32>(row + (<usize>j << 2)), args.valueFeatures);
    }
    for (let j: u32 = 0; j <= i; ++j) {
      addScaled(dual + j * stride, to, load<f32>(row + (<usize>j << 2)), args.valueFeatures);
    }
  }
  let before: f64 = 0, leftOut: f64 = 0;
  for (let i: u32 = 0; i < fitted; ++i) {
    const row = i * stride, divisor: f64 = load<f32>(diagonal + (<usize>i << 2));
    for (let at = row; at < row + stride; at += 4) {
      const x: f64 = load<f32>(residual + at), left = <f64>load<f32>(dual + at) / divisor;
      before += x * x;
      leftOut += left * left;
    }
  }
  store<u32>(args.kept + (<usize>head << 2), leftOut < before ? 1 : 0);
}
