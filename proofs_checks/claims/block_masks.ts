import { Purpose, RandomStream } from "../../kernels/random.ts";
import { holdsOn, shapeFamilies } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { differenceFrom } from "./exact_cases.ts";
import { DELTA, VALUE_FEATURES } from "./settings.ts";

/** Blocks of keys that a run cuts, at most. */
const MOST_BLOCKS = 12;

/** One key, or one query, makes one block. */
const CUT_SHAPES = shapeFamilies.filter((name) => !name.startsWith("shape-one-") || name.endsWith("feature"));

/** Which keys a query sees as samples: all but those of its block. */
export const blockMasks: Claim = {
  name: "block-masks",
  statement:
    "Blocks, and every key as a sample beside them, are exact attention: no key counts twice, and none is lost",
  formula: "samples = all keys, w = 1 ⟹ Att~ = Att, whatever the order and the blocks",
  source: "kernels/backend.ts, attend; docs/theory.md §4",
  assumptions: `single precision; random orders of queries and keys, up to ${MOST_BLOCKS} blocks`,
  measurement: "largest difference from PV in float64, over what rounding of the logits explains",
  rule: { kind: "always", allowed: DELTA },
  bound: 1,
  cases: holdsOn("gaussian", "clustered", "uniform-softmax", "sink-key", "heavy-tailed", ...CUT_SHAPES),
  anySource: true,
  n: 64,
  runs: 50,
  async run({ input, seed, on }) {
    const oracle = new Oracle(await input({ valueFeatures: VALUE_FEATURES }));
    const { query, key, value, queries, keys, features, valueFeatures, scale } = oracle.problem;
    const random = new RandomStream(seed, Purpose.data), queryOrder = random.distinct(queries, queries);
    const keyOrder = random.distinct(keys, keys), position = new Uint32Array(keys);
    keyOrder.forEach((row, at) => position[row] = at);
    const index = random.distinct(keys, keys), most = Math.min(MOST_BLOCKS, queries, keys);
    const blocks = 1 + random.integer(most);
    const output = await on(async (backend) => {
      const shape = { heads: 1, queries, keys, features, valueFeatures, scale };
      const found = backend.attend({
        ...shape,
        query: backend.upload(query),
        key: backend.upload(key),
        value: backend.upload(value),
        queryOrder: backend.upload(queryOrder),
        keyOrder: backend.upload(keyOrder),
        blocks,
        // One block sees all keys, and samples would show it none.
        samples: blocks === 1 ? undefined : {
          count: keys,
          index: backend.upload(index),
          logWeights: backend.upload(new Float32Array(keys)),
          position: backend.upload(position),
        },
      });
      return (await backend.run([found.output]))[0].slice();
    });
    return { measured: differenceFrom(oracle, output), telling: blocks > 1 };
  },
};
