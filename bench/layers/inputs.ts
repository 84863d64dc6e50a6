import { stackDraws } from "../../workloads/input_family.ts";
import { type LayerShape, rowDeviation, SHAPES } from "../../workloads/layer_shapes.ts";
import { loadWorkload } from "../../workloads/workloads.ts";
import type { Tensor } from "../../kernels/tensor.ts";
import { tensor } from "../../kernels/tensor.ts";
import { clustered } from "../../proofs_checks/inputs/clustered.ts";
import { gaussian } from "../../proofs_checks/inputs/gaussian.ts";
import type { NamedInput } from "../../proofs_checks/inputs/family.ts";
import type { PublishedBudget } from "../peers/published_kdeformer.ts";

/** Draws of every input, of which a batch consists: none is there twice. */
export const DRAWS = 8;
const SEED = 1, LAYER = 1, HEADS = 4;

/** A layer whose attention the paper replaced, and the budget that the published code has for it. */
export interface PaperLayer {
  readonly name: string;
  readonly shape: LayerShape;
  readonly published: PublishedBudget;
}

/** The layers of the paper's experiments. */
export const layers: readonly PaperLayer[] = [
  { name: "t2t-vit-1", shape: SHAPES["t2t-vit-1"], published: { bucketSize: 32, samples: 98 } },
  { name: "biggan-512", shape: SHAPES["biggan-512"], published: { bucketSize: 64, samples: 128 } },
];

/** Every input of a layer: [DRAWS, rows, width]. */
export async function* layerInputs({ shape }: PaperLayer): AsyncGenerator<NamedInput> {
  const { queries, keys: n, features, valueFeatures, scale } = shape, deviation = rowDeviation(shape);
  const options = { queries, n, features, valueFeatures, seed: SEED };
  yield {
    ...stackDraws(DRAWS, (draw) => gaussian.generate({ ...options, draw, deviation })),
    name: "gaussian",
    description: gaussian.description,
    scale,
  };
  const { query, key, value } = stackDraws(DRAWS, (draw) => clustered.generate({ ...options, draw }));
  const { description } = clustered;
  yield {
    name: "clustered",
    description,
    query: times(query, deviation),
    key: times(key, deviation),
    value,
    scale,
  };
  yield* realInputs(shape);
}

const times = ({ data, shape }: Tensor, factor: number): Tensor => tensor(data.map((x) => factor * x), shape);

/**
 * The heads of a layer of the sentence encoder on as many tokens as there are queries, each draw a stretch of text of
 * its own. Where the layer has fewer keys they are the first ones, and where its values are wider than the head's they
 * are those of all heads side by side.
 */
async function* realInputs({ queries, keys, valueFeatures }: LayerShape): AsyncGenerator<NamedInput> {
  const all = await loadWorkload("sentence-encoder", { n: queries, head: `${LAYER}.all`, batch: DRAWS });
  const width = all.value.shape[2], wide = valueFeatures > width;
  for (let head = 0; head < HEADS; head++) {
    const own = (of: Tensor, rows: number) =>
      stack((draw) => rowsOf(of, HEADS * draw + head, rows), of.shape[2]);
    yield {
      name: `head ${LAYER}.${head}`,
      description: all.description,
      query: own(all.query, queries),
      key: own(all.key, keys),
      value: wide
        ? stack((draw) => {
          const parts = Array.from({ length: HEADS }, (_, at) => rowsOf(all.value, HEADS * draw + at, keys));
          return sideBySide(parts, width);
        }, HEADS * width)
        : own(all.value, keys),
      scale: all.scale,
    };
  }
}

/** The first rows of one of the stacked heads. */
function rowsOf({ data, shape: [, n, width] }: Tensor, at: number, rows: number): Float32Array {
  return data.subarray(at * n * width, (at * n + rows) * width);
}

function stack(part: (draw: number) => Float32Array, width: number): Tensor {
  const parts = Array.from({ length: DRAWS }, (_, draw) => part(draw)), size = parts[0].length;
  const data = new Float32Array(DRAWS * size);
  parts.forEach((values, draw) => data.set(values, draw * size));
  return tensor(data, [DRAWS, size / width, width]);
}

/** Rows of several arrays of rows put behind one another. */
export function sideBySide(parts: readonly Float32Array[], width: number): Float32Array {
  const joined = new Float32Array(parts.length * parts[0].length);
  parts.forEach((rows, at) => {
    for (let from = 0; from < rows.length; from += width) {
      joined.set(rows.subarray(from, from + width), parts.length * from + at * width);
    }
  });
  return joined;
}
