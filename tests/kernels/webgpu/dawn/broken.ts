import type { Recorder } from "../../../../kernels/webgpu/engine/recorder.ts";

/** Kernels that Dawn must refuse, though other compilers may take them. */
const sources: Readonly<Record<string, string>> = {
  // A barrier that only some lanes may reach.
  "non_uniform.wgsl": `
@group(0) @binding(1) var<storage, read_write> values: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
  if (values[local] == 0u) {
    workgroupBarrier();
  }
}`,
  // A workgroup that is too large once the pipeline is made.
  "too_large.wgsl": `
override LANES = 100000u;
@group(0) @binding(1) var<storage, read_write> values: array<u32>;
@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) local: u32) {
  values[local] = local;
}`,
};

/** Recordings of those kernels. */
export const brokenCases: readonly ((recorder: Recorder) => void)[] = Object.entries(sources).map(
  ([file, source]) => (recorder) =>
    recorder.dispatch({
      kernel: { file, source: [source] },
      parameters: {},
      bindings: { values: recorder.array("word", 64, "the values") },
      workgroups: 1,
    }),
);
