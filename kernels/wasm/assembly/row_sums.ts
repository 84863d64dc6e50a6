// deno-fmt-ignore-file: AssemblyScript
import { multiplyAdd, sumOfLanes } from "./simd";

// Sums over some rows of a matrix, those whose numbers stand in a list.

/** Sum of the values of some rows, two chains of sums. */
export function sumOf(values: usize, first: usize, length: u32): f64 {
  const end = first + (<usize>length << 2);
  let even: f64 = 0, odd: f64 = 0;
  for (; first + 8 <= end; first += 8) {
    even += load<f32>(values + (<usize>load<u32>(first) << 2));
    odd += load<f32>(values + (<usize>load<u32>(first, 4) << 2));
  }
  if (first < end) even += load<f32>(values + (<usize>load<u32>(first) << 2));
  return even + odd;
}

/** Sum of some of the rows, of `bytes` each, under factors; up to 32 columns at a time, whose sums stay in registers and do not wait for one another. */
export function sumRows(sums: usize, first: usize, length: u32, rows: usize, bytes: usize, factors: usize): void {
  const end = first + (<usize>length << 2);
  let column: usize = 0;
  for (; column + 128 <= bytes; column += 128) {
    let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    for (let i = first; i < end; i += 4) {
      const row = load<u32>(i), x = rows + row * bytes + column;
      const w = v128.load_splat<f32>(factors + (<usize>row << 2));
      a = multiplyAdd(w, v128.load(x), a);
      b = multiplyAdd(w, v128.load(x, 16), b);
      c = multiplyAdd(w, v128.load(x, 32), c);
      d = multiplyAdd(w, v128.load(x, 48), d);
      e = multiplyAdd(w, v128.load(x, 64), e);
      f = multiplyAdd(w, v128.load(x, 80), f);
      g = multiplyAdd(w, v128.load(x, 96), g);
      h = multiplyAdd(w, v128.load(x, 112), h);
    }
    v128.store(sums + column, a);
    v128.store(sums + column, b, 16);
    v128.store(sums + column, c, 32);
    v128.store(sums + column, d, 48);
    v128.store(sums + column, e, 64);
    v128.store(sums + column, f, 80);
    v128.store(sums + column, g, 96);
    v128.store(sums + column, h, 112);
  }
  for (; column + 64 <= bytes; column += 64) {
    let a = f32x4.splat(0), b = a, c = a, d = a;
    for (let i = first; i < end; i += 4) {
      const row = load<u32>(i), x = rows + row * bytes + column;
      const w = v128.load_splat<f32>(factors + (<usize>row << 2));
      a = multiplyAdd(w, v128.load(x), a);
      b = multiplyAdd(w, v128.load(x, 16), b);
      c = multiplyAdd(w, v128.load(x, 32), c);
      d = multiplyAdd(w, v128.load(x, 48), d);
    }
    v128.store(sums + column, a);
    v128.store(sums + column, b, 16);
    v128.store(sums + column, c, 32);
    v128.store(sums + column, d, 48);
  }
  for (; column + 32 <= bytes; column += 32) {
    let a = f32x4.splat(0), b = a;
    for (let i = first; i < end; i += 4) {
      const row = load<u32>(i), x = rows + row * bytes + column;
      const w = v128.load_splat<f32>(factors + (<usize>row << 2));
      a = multiplyAdd(w, v128.load(x), a);
      b = multiplyAdd(w, v128.load(x, 16), b);
    }
    v128.store(sums + column, a);
    v128.store(sums + column, b, 16);
  }
  for (; column + 16 <= bytes; column += 16) {
    let a = f32x4.splat(0);
    for (let i = first; i < end; i += 4) {
      const row = load<u32>(i);
      a = multiplyAdd(v128.load_splat<f32>(factors + (<usize>row << 2)), v128.load(rows + row * bytes + column), a);
    }
    v128.store(sums + column, a);
  }
  for (; column < bytes; column += 4) {
    let a: f32 = 0;
    for (let i = first; i < end; i += 4) {
      const row = load<u32>(i);
      a += load<f32>(factors + (<usize>row << 2)) * load<f32>(rows + row * bytes + column);
    }
    store<f32>(sums + column, a);
  }
}

/** The same of rows one after the other, under weights one after the other. */
export function sumRun(sums: usize, first: usize, length: u32, bytes: usize, weights: usize): void {
  const end = weights + (<usize>length << 2);
  let column: usize = 0;
  for (; column + 128 <= bytes; column += 128) {
    let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    for (let x = first + column, w = weights; w < end; x += bytes, w += 4) {
      const own = v128.load32_splat(w);
      a = multiplyAdd(own, v128.load(x), a);
      b = multiplyAdd(own, v128.load(x, 16), b);
      c = multiplyAdd(own, v128.load(x, 32), c);
      d = multiplyAdd(own, v128.load(x, 48), d);
      e = multiplyAdd(own, v128.load(x, 64), e);
      f = multiplyAdd(own, v128.load(x, 80), f);
      g = multiplyAdd(own, v128.load(x, 96), g);
      h = multiplyAdd(own, v128.load(x, 112), h);
    }
    v128.store(sums + column, a);
    v128.store(sums + column, b, 16);
    v128.store(sums + column, c, 32);
    v128.store(sums + column, d, 48);
    v128.store(sums + column, e, 64);
    v128.store(sums + column, f, 80);
    v128.store(sums + column, g, 96);
    v128.store(sums + column, h, 112);
  }
  for (; column + 64 <= bytes; column += 64) {
    let a = f32x4.splat(0), b = a, c = a, d = a;
    for (let x = first + column, w = weights; w < end; x += bytes, w += 4) {
      const own = v128.load32_splat(w);
      a = multiplyAdd(own, v128.load(x), a);
      b = multiplyAdd(own, v128.load(x, 16), b);
      c = multiplyAdd(own, v128.load(x, 32), c);
      d = multiplyAdd(own, v128.load(x, 48), d);
    }
    v128.store(sums + column, a);
    v128.store(sums + column, b, 16);
    v128.store(sums + column, c, 32);
    v128.store(sums + column, d, 48);
  }
  for (; column + 32 <= bytes; column += 32) {
    let a = f32x4.splat(0), b = a;
    for (let x = first + column, w = weights; w < end; x += bytes, w += 4) {
      const own = v128.load32_splat(w);
      a = multiplyAdd(own, v128.load(x), a);
      b = multiplyAdd(own, v128.load(x, 16), b);
    }
    v128.store(sums + column, a);
    v128.store(sums + column, b, 16);
  }
  for (; column + 16 <= bytes; column += 16) {
    let a = f32x4.splat(0);
    for (let x = first + column, w = weights; w < end; x += bytes, w += 4) {
      const own = v128.load32_splat(w);
      a = multiplyAdd(own, v128.load(x), a);
    }
    v128.store(sums + column, a);
  }
  for (; column < bytes; column += 4) {
    let a: f32 = 0;
    for (let x = first + column, w = weights; w < end; x += bytes, w += 4) a += load<f32>(w) * load<f32>(x);
    store<f32>(sums + column, a);
  }
}

/** Σ w ‖y − ȳ‖² of rows one after the other, under weights one after the other. */
export function scatterOfRun(mean: usize, first: usize, length: u32, bytes: usize, weights: usize): f32 {
  const end = weights + (<usize>length << 2);
  let even = f32x4.splat(0), odd = even, column: usize = 0;
  for (; column + 64 <= bytes; column += 64) {
    const a = v128.load(mean + column), b = v128.load(mean + column, 16), c = v128.load(mean + column, 32), d = v128.load(mean + column, 48);
    for (let x = first + column, w = weights; w < end; x += bytes, w += 4) {
      const own = v128.load32_splat(w);
      const aa = f32x4.sub(v128.load(x), a);
      const bb = f32x4.sub(v128.load(x, 16), b);
      const cc = f32x4.sub(v128.load(x, 32), c);
      const dd = f32x4.sub(v128.load(x, 48), d);
      even = multiplyAdd(f32x4.mul(own, aa), aa, even);
      odd = multiplyAdd(f32x4.mul(own, bb), bb, odd);
      even = multiplyAdd(f32x4.mul(own, cc), cc, even);
      odd = multiplyAdd(f32x4.mul(own, dd), dd, odd);
    }
  }
  for (; column + 32 <= bytes; column += 32) {
    const a = v128.load(mean + column), b = v128.load(mean + column, 16);
    for (let x = first + column, w = weights; w < end; x += bytes, w += 4) {
      const own = v128.load32_splat(w);
      const aa = f32x4.sub(v128.load(x), a);
      const bb = f32x4.sub(v128.load(x, 16), b);
      even = multiplyAdd(f32x4.mul(own, aa), aa, even);
      odd = multiplyAdd(f32x4.mul(own, bb), bb, odd);
    }
  }
  for (; column + 16 <= bytes; column += 16) {
    const a = v128.load(mean + column);
    for (let x = first + column, w = weights; w < end; x += bytes, w += 4) {
      const own = v128.load32_splat(w);
      const aa = f32x4.sub(v128.load(x), a);
      even = multiplyAdd(f32x4.mul(own, aa), aa, even);
    }
  }
  let sum = sumOfLanes(f32x4.add(even, odd));
  for (; column < bytes; column += 4) {
    const middle = load<f32>(mean + column);
    for (let x = first + column, w = weights; w < end; x += bytes, w += 4) {
      const difference = load<f32>(x) - middle;
      sum += load<f32>(w) * difference * difference;
    }
  }
  return sum;
}

@inline
function difference(x: usize, y: usize): v128 {
  return f32x4.sub(v128.load(x), v128.load(y));
}

/** ‖x − y‖² of rows of `bytes` */
export function squaredDistance(x: usize, y: usize, bytes: usize): f32 {
  let a = f32x4.splat(0), b = a, at: usize = 0;
  for (; at + 32 <= bytes; at += 32) {
    const first = difference(x + at, y + at), second = difference(x + at + 16, y + at + 16);
    a = multiplyAdd(first, first, a);
    b = multiplyAdd(second, second, b);
  }
  for (; at + 16 <= bytes; at += 16) {
    const next = difference(x + at, y + at);
    a = multiplyAdd(next, next, a);
  }
  let sum = sumOfLanes(f32x4.add(a, b));
  for (; at < bytes; at += 4) {
    const difference = load<f32>(x + at) - load<f32>(y + at);
    sum += difference * difference;
  }
  return sum;
}
