import { gaussian } from "../proofs_checks/inputs/gaussian.ts";
import type { NamedInput } from "../proofs_checks/inputs/family.ts";
import { stackDraws } from "./input_family.ts";
import { type CheckedOptions, optionError, type Workload } from "./workload.ts";

/** Sizes and scale of a layer. */
export interface LayerShape {
  readonly queries: number;
  readonly keys: number;
  readonly features: number;
  readonly valueFeatures: number;
  readonly scale: number;
  readonly layer: string;
}

/** The attention layers that KDEformer (Zandieh, Han, Daliri and Karbasi, ICML 2023) replaced. */
export const SHAPES: Readonly<Record<string, LayerShape>> = {
  "t2t-vit-1": {
    queries: 3136,
    keys: 3136,
    features: 64,
    valueFeatures: 64,
    scale: 1 / 8,
    layer: "first attention layer of T2T-ViT_t-24",
  },
  "t2t-vit-2": {
    queries: 784,
    keys: 784,
    features: 64,
    valueFeatures: 64,
    scale: 1 / 8,
    layer: "second attention layer of T2T-ViT_t-24",
  },
  "biggan-512": {
    queries: 4096,
    keys: 1024,
    features: 64,
    valueFeatures: 256,
    scale: 1,
    layer: "attention layer of BigGAN-deep-512",
  },
};

/**
 * Normal values in the shape of a published layer, for timing; the layer's own weights are not public npm data.
 * Logits are standard normal whatever the scale: where it is 1, queries and keys shrink by √√features.
 */
function load(name: string, { n, batch, seed }: CheckedOptions): NamedInput {
  const { scale, layer, keys, ...shape } = SHAPES[name];
  if (n !== undefined && n !== shape.queries) {
    throw optionError(name, `n is fixed at ${shape.queries}`, n);
  }
  const deviation = rowDeviation(SHAPES[name]);
  return {
    name,
    ...stackDraws(batch, (draw) => gaussian.generate({ ...shape, n: keys, seed, draw, deviation })),
    scale,
    description: `normal values in the shape of the ${layer}, ${shape.queries} queries × ${keys} keys`,
  };
}

/** Each published layer as a workload. */
export const layerShapes: readonly Workload[] = Object.keys(SHAPES).map((name) => ({
  name,
  load: (options) => load(name, options),
}));

/** Factor on queries and keys of variance 1 that makes the logits of normal ones standard normal. */
export function rowDeviation({ scale, features }: LayerShape): number {
  return (scale * Math.sqrt(features)) ** -0.5;
}
