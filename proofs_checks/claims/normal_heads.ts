import type { ProblemOptions } from "../../estimators/core/problem.ts";
import type { RandomStream } from "../../kernels/random.ts";
import { type Tensor, tensor } from "../../kernels/tensor.ts";

/** Of keys under a mask. */
const HIDDEN_SHARE = 1 / 3;

/** Tensors of several heads, and what their queries see. */
export interface HeadTensors {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
  readonly options: ProblemOptions;
}

/** What heads are to be like. */
export interface HeadsWanted {
  readonly keyHeads: number;
  /** Query heads to each of them. */
  readonly group: number;
  readonly queries: number;
  readonly keys: number;
  readonly features: number;
  readonly valueFeatures: number;
  /** How far from 0 the places of the heads lie, about which their queries and keys are; in their own standard deviations. */
  readonly apart: number;
  /** The same of their values; 0 when left out. */
  readonly valuesApart?: number;
  readonly causal: boolean;
  /** Whether each key head has a mask of its own. */
  readonly masked: boolean;
  readonly scale: number;
}

/** Normal heads, each about places of its own. */
export function drawNormalHeads(random: RandomStream, wanted: HeadsWanted): HeadTensors {
  const {
    keyHeads,
    group,
    queries,
    keys,
    features,
    valueFeatures,
    apart,
    valuesApart = 0,
    causal,
    masked,
    scale,
  } = wanted;
  const normals = (count: number) => Float32Array.from({ length: count }, () => random.normal());
  const rows = (heads: number, count: number, width: number, about: number) => {
    const places = normals(heads * width), own = normals(heads * count * width);
    const data = own.map((x, at) =>
      x + about * places[Math.floor(at / (count * width)) * width + at % width]
    );
    return tensor(data, [heads, count, width]);
  };
  const query = rows(keyHeads * group, queries, features, apart), key = rows(keyHeads, keys, features, apart);
  // The first key is seen, so that every query sees one.
  const keyMask = masked
    ? Array.from({ length: keyHeads * keys }, (_, at) => at % keys === 0 || random.uniform() > HIDDEN_SHARE)
    : undefined;
  return {
    query,
    key,
    value: rows(keyHeads, keys, valueFeatures, valuesApart),
    options: { causal, keyMask, scale },
  };
}
