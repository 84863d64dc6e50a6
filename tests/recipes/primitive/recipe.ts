import type { Recipe } from "../recipe.ts";

/** Rows times a factor. */
export const primitive: Recipe = {
  name: "primitive",
  heading: "Add a primitive",
  most: 9,
  sources: new URL("./files/", import.meta.url),
  insertions: [
    {
      file: "kernels/backend.ts",
      before: "  /** Copies rows: out[h, i]",
      text: `  /** Rows times a factor of f32: [heads, count, width]. */
  scaleRows(args: {
    readonly rows: DeviceArray;
    readonly factor: number;
    readonly heads: number;
    readonly count: number;
    readonly width: number;
  }): DeviceArray;

`,
    },
    {
      file: "kernels/known_answers/rows.ts",
      before: "  gatherRows: [",
      text:
        '  scaleRows: [\n    knownAnswer("scaleRows", (inputs, size) => ({ ...rowsOf(inputs, size), factor: 0.75 }), alone),\n  ],\n',
    },
    { file: "kernels/known_answers/rows.ts", before: '"columnMean" | ', text: '"scaleRows" | ' },
    { file: "bench/kernels/memory_cases.ts", before: '  | "mergeAttention"', text: '  | "scaleRows"\n' },
    {
      file: "bench/kernels/memory_cases.ts",
      before: "  mergeAttention: [",
      text: `  scaleRows: [{
    name: "scaleRows",
    shape: SIZE,
    unit: "GB/s",
    work: 2 * MATRIX_BYTES,
    prepare: (backend) => {
      const shape = { ...rows(backend), factor: 0.75 };
      return () => void backend.scaleRows(shape);
    },
  }],
`,
    },
  ],
  generators: [
    ["run", "-A", "--no-lock", "kernels/build.ts"],
    ["run", "-A", "--no-lock", "kernels/webgpu/build.ts"],
    ["run", "-A", "--no-lock", "kernels/wasm/build.ts"],
    ["fmt", "--quiet", "kernels/known_answers"],
  ],
  checks: [
    ["fmt", "--check"],
    ["lint"],
    ["check", "--quiet", "."],
    ["run", "-A", "--no-lock", "tests/structure/check.ts"],
    [
      "test",
      "-A",
      "--no-check",
      "--filter=/scaleRows|every primitive/",
      "tests/kernels/known_answers_test.ts",
      "tests/kernels/operations_test.ts",
      "tests/kernels/scale_rows_test.ts",
    ],
  ],
};
