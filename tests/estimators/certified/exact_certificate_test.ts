import { assert, assertEquals, assertLessOrEqual, assertRejects, assertThrows } from "@std/assert";
import { attention, type AttentionOptions, type Device, tensor } from "../../../mod.ts";
import { checkFinite } from "../../../estimators/certified/exact_certificate.ts";
import { makeProblem } from "../../../estimators/core/problem.ts";
import { normals } from "../../data.ts";
import { onEachDevice } from "../../devices.ts";
import { float64Heads, headErrors } from "./float64_heads.ts";

const queries = 48, keys = 90, features = 12, columns = 5;
const query = tensor(normals(1, 6 * queries * features), [6, queries, features]);
const key = tensor(normals(2, 2 * keys * features), [2, keys, features]);
const value = tensor(normals(3, 2 * keys * columns), [2, keys, columns]);
const keyMask = Array.from({ length: keys }, (_, j) => j % 5 !== 3);

/** The least epsilon that a refusal names. */
async function leastEpsilon(device: Device, options: AttentionOptions = {}): Promise<number> {
  const { message } = await assertRejects(
    () => attention(query, key, value, { ...options, device, epsilon: 1e-15 }),
    RangeError,
    "Cannot certify: epsilon must be at least ",
  );
  assert(message.endsWith("current value is 1e-15"), message);
  return Number(/at least (\S+)/.exec(message)![1]);
}

for (
  const options of [
    {},
    { causal: true },
    { keyMask },
    { causal: true, keyMask },
    {
      method: "exact",
    },
    { method: "exact", storage: "f16" },
    { method: "exact", storage: "f16", causal: true, keyMask },
  ] as const
) {
  const words = JSON.stringify(Object.keys(options));
  onEachDevice(
    `exact attention is certified down to its rounding bound, and no further: ${words}`,
    async (device) => {
      const least = await leastEpsilon(device, options);
      const { certificate, output } = await attention(query, key, value, {
        ...options,
        device,
        epsilon: least,
      });
      const { holds, guaranteed, kind, operatorNormBound, target, checkSeed } = certificate!;
      assertEquals([holds, guaranteed, kind, checkSeed], [true, true, "exact", null]);
      assertLessOrEqual(operatorNormBound, target);
      assert(operatorNormBound > 0);
      const heads = float64Heads(query, key, value, options);
      headErrors(output.data, heads, columns).forEach((error, head) =>
        assertLessOrEqual(error, least * heads[head].product, `head ${head}`)
      );
      await assertRejects(
        () => attention(query, key, value, { ...options, device, epsilon: 0.9 * least }),
        RangeError,
        "Cannot certify",
      );
    },
  );
}

onEachDevice("half floats are certified to an epsilon of use, and told of", async (device) => {
  const options = { method: "exact", storage: "f16", device } as const;
  const { certificate, stats } = await attention(query, key, value, { ...options, epsilon: 0.1 });
  assertEquals([certificate?.holds, certificate?.kind], [true, "exact"]);
  assertEquals(stats.storage, device.kind === "webgpu" ? "f16" : "f32");
  const floats = await leastEpsilon(device, { method: "exact" }),
    halves = await leastEpsilon(device, options);
  assertEquals(halves > 2 * floats, device.kind === "webgpu", `${halves} and ${floats}`);
});

Deno.test("no epsilon is promised where rounding may change everything", async () => {
  await assertRejects(
    () => attention(query, key, value, { device: "wasm", scale: 5e11, epsilon: 0.9 }),
    RangeError,
    "Cannot certify: no epsilon below 1 can be promised",
  );
});

Deno.test("values that are all zero are exact to any epsilon", async () => {
  const zero = tensor(new Float32Array(2 * keys * columns), [2, keys, columns]);
  const { certificate } = await attention(query, key, zero, { device: "wasm", epsilon: 1e-300 });
  assertEquals([certificate!.holds, certificate!.operatorNormBound], [true, 0]);
});

Deno.test("an exact output that is not finite is refused by name", () => {
  const problem = makeProblem(query, key, value), output = new Float32Array(6 * queries * columns);
  output[(queries + 7) * columns + 2] = NaN;
  assertThrows(() => checkFinite(output, problem), RangeError, "row 7, column 2 of head 1 is NaN");
});
