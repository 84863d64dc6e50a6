import { assert, assertEquals } from "@std/assert";
import { timeRun } from "../../bench/gpu_static/call_times.ts";
import { kernelCycles } from "../../bench/gpu_static/kernel_cycles.ts";
import { findLoops } from "../../bench/gpu_static/loops.ts";
import { readCompiled } from "../../bench/gpu_static/machine_code.ts";
import { cyclesOf, machines } from "../../bench/gpu_static/machines.ts";
import { tileKeys } from "../../bench/gpu_static/tile_share.ts";
import { cutShares, shareKeys, shareTiles } from "../../kernels/webgpu/operations/share_tile.ts";
import { attendWidths, cutTile } from "../../kernels/webgpu/operations/attend_tile.ts";
import { chains } from "../../kernels/webgpu/operations/attend.ts";
import { modelledKernels } from "../../bench/gpu_static/turns.ts";
import { shaders } from "../../kernels/webgpu/shaders.generated.ts";
import type { Dispatch } from "../../bench/gpu_static/runs.ts";

const [rdna, nvidia] = machines;
/** A loop in a loop: the inner one loads and waits, the outer one stores. */
const AMD = `label: rows.wgsl columnMean {}
subgroup: 64
VGPRs: 24
Subgroups per SIMD: 8
=== ACO IR
v_fma_f32 not read
=== Assembly
BB0:
  s_load_dword s0, s[2:3], 0x0 ; 0000
BB1:
  v_add_f32 v0, v1, v2
BB2:
  buffer_load_dwordx4 v[4:7], v0, s[4:7], 0 offen
  s_waitcnt vmcnt(0)
  v_fma_f32 v1, v4, v5, v1
  s_cbranch_scc1 BB2
BB3:
  buffer_store_dword v1, v0, s[4:7], 0 offen
  s_cbranch_scc1 BB1
BB4:
  s_endpgm
`;

Deno.test("machine code of AMD is read as loops in loops", () => {
  const code = readCompiled(AMD), { loops, outside } = findLoops(code);
  assertEquals([code.label, code.lanes, code.numbers["VGPRs"]], ["rows.wgsl columnMean {}", 64, 24]);
  assertEquals(loops.map(({ depth }) => depth), [0, 1]);
  const kinds = loops.map(({ blocks }) => blocks.flat().map(({ kind }) => kind));
  assertEquals(kinds, [["valu", "memory", "branch"], ["memory", "wait", "fma", "branch"]]);
  assertEquals(outside.map(({ kind }) => kind), ["scalar", "branch"]);
});

Deno.test("a wave alone waits for what it loads; with others the busiest unit counts", () => {
  const { loops } = findLoops(readCompiled(AMD)), [, inner] = loops;
  const cycles = cyclesOf(inner.blocks.flat(), rdna, 64);
  // Two passes for a multiply-add of 64 lanes; 16 bytes of each lane.
  assertEquals([cycles.vector, cycles.memory, cycles.shared], [2, 16 * 64 / rdna.memory, 0]);
  assert(cycles.alone > rdna.memoryWait);
  const one = { label: "rows.wgsl columnMean {}", file: "rows.wgsl", entryPoint: "columnMean", values: {} };
  const kernel = kernelCycles(
    { ...readCompiled(AMD), instructions: inner.blocks.flat(), labels: new Map() },
    rdna,
  );
  assertEquals([kernel.waves, kernel.loops.length], [4, 0]);
  const straight = (workgroups: number): Dispatch => ({
    ...one,
    entryPoint: "gatherRows",
    workgroups,
    invocations: 64,
    parameters: {},
  });
  const seconds = (workgroups: number) =>
    timeRun({ title: "", dispatches: [straight(workgroups)] }, new Map([[one.label, kernel]]), rdna).seconds;
  assertEquals(seconds(1), seconds(rdna.simds));
  assert(seconds(100 * rdna.simds) > 5 * (seconds(1) - 5e-6));
});

Deno.test("a kernel whose loops are not those of the list of turns is named, not guessed", () => {
  const kernel = kernelCycles(readCompiled(AMD), rdna), label = "rows.wgsl columnMean {}";
  const dispatch = {
    label,
    file: "rows.wgsl",
    entryPoint: "columnMean",
    values: {},
    parameters: { picks: 9 },
    workgroups: 1,
    invocations: 64,
  };
  const { unknown, seconds } = timeRun(
    { title: "", dispatches: [dispatch] },
    new Map([[label, kernel]]),
    rdna,
  );
  assertEquals([unknown, seconds], [["rows.wgsl columnMean"], 0]);
});

Deno.test("machine code of NVIDIA is read with its scoreboards", () => {
  const code = readCompiled(`label: a
subgroup: 32
Max warps/SM: 16
=== NAK assembly
block 0 L0 [
    r1 = ld.global.b32 [r2] // delay=2 wr:3
    r4 = ffma r1 r1 r1 // delay=5 wt=001000
    @p0 bra L0 // delay=1
]
`);
  assertEquals(code.instructions.map(({ kind }) => kind), ["memory", "fma", "branch"]);
  assertEquals(findLoops(code).loops.length, 1);
  assert(cyclesOf(code.instructions, nvidia, 32).alone >= nvidia.memoryWait);
});

Deno.test("the list of turns names kernels that there are", () => {
  for (const name of modelledKernels) {
    const [file, entryPoint] = name.split(" "), source = (shaders as Record<string, string>)[file] ?? "";
    assert(new RegExp(`\\bfn ${entryPoint}\\(`).test(source), name);
  }
});

Deno.test("the keys of a tile are read off what either kernel of attention defines, and divide a stretch", () => {
  const widths = attendWidths(64, 40);
  assertEquals(tileKeys({ ...chains, ...cutTile({ kernel: "tiles", lanes: 64, size: 32 }, widths) }), 32);
  const shares = shareTiles(widths, 2 ** 15, 32);
  assert(shares.length > 0);
  for (const tile of shares) {
    const keys = shareKeys(tile, widths);
    assertEquals(tileKeys({ ...chains, ...cutShares(tile, widths) }), keys);
    assertEquals(chains.STRETCH % keys, 0);
  }
  assertEquals(tileKeys({ LANES: 64 }), undefined);
});
