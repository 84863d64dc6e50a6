/** What a device of a browser made of attention. */
export interface Outcome {
  readonly device: string;
  readonly adapter: string;
  readonly method: string;
  /** Largest difference from the reference, relative to the largest value. */
  readonly error: number;
  readonly milliseconds: number;
}

/** Runs in the page: attention by each device beside the float64 reference. Uses nothing from outside. */
export async function compareDevices(module: string): Promise<Outcome[]> {
  const { attention, openDevice, tensor } = await import(module);
  const n = 300, d = 16;
  const [q, k, v] = [1, 2, 3].map((seed) =>
    tensor(Float32Array.from({ length: n * d }, (_, at) => Math.sin(seed * (at + 1) ** 2)), [n, d])
  );
  const outcomes = [];
  for (const prefer of ["wasm", "webgpu"]) {
    const device = await openDevice({ prefer });
    for (const method of ["exact", "kdeformer-practical"]) {
      const start = performance.now();
      const { output, stats } = await attention(q, k, v, { method, device });
      const milliseconds = performance.now() - start;
      const exact = (await attention(q, k, v, { method, device: "reference" })).output.data as Float32Array;
      const largest = exact.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      const worst = exact.reduce((most, x, at) => Math.max(most, Math.abs(x - output.data[at])), 0);
      outcomes.push({
        device: stats.device,
        adapter: device.adapter,
        method,
        error: worst / largest,
        milliseconds,
      });
    }
    device[Symbol.dispose]?.();
  }
  return outcomes;
}
