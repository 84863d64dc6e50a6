/** The range of each column of the values: every exact output lies in it. */
export interface ValueBox {
  readonly low: Float32Array;
  readonly high: Float32Array;
}

/** The box of values [count, width]. */
export function valueBox(values: Float32Array, width: number): ValueBox {
  const low = values.slice(0, width), high = values.slice(0, width);
  for (let at = width; at < values.length;) {
    for (let c = 0; c < width; c++, at++) {
      const x = values[at];
      if (x < low[c]) low[c] = x;
      if (x > high[c]) high[c] = x;
    }
  }
  return { low, high };
}

/** The box of the values less a shift [width]. */
export function shifted({ low, high }: ValueBox, shift: Float32Array): ValueBox {
  return { low: low.map((x, c) => x - shift[c]), high: high.map((x, c) => x - shift[c]) };
}

/** Moves outputs [count, width] into the box, in place. */
export function clip(outputs: Float32Array | Float64Array, { low, high }: ValueBox): void {
  for (let at = 0; at < outputs.length;) {
    for (let c = 0; c < low.length; c++, at++) {
      const x = outputs[at];
      if (x < low[c]) outputs[at] = low[c];
      else if (x > high[c]) outputs[at] = high[c];
    }
  }
}
