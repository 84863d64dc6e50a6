import { type Tensor, tensor } from "../kernels/tensor.ts";
import { optionError } from "./workload.ts";

/** The heads of a model of two layers, as the option `head` names them. */
export function namesOfHeads(count: number): string[] {
  return [1, 2].flatMap((layer) => Array.from({ length: count }, (_, head) => `${layer}.${head}`));
}

/** What the option `head` of a pretrained model names. */
export interface HeadChoice {
  /** 1 or 2. */
  readonly layer: number;
  /** Heads of the layer, from 0. */
  readonly heads: readonly number[];
  /** The heads in words. */
  readonly which: string;
}

/**
 * Reads `LAYER.HEAD` or `LAYER.all` for a model of two layers.
 *
 * @param count Heads of a layer.
 * @throws {RangeError} If there is no such head.
 */
export function chooseHeads(name: string, head: string, count: number): HeadChoice {
  const [, layer, which] = /^([12])\.(\d|all)$/.exec(head) ?? [];
  const all = which === "all";
  if (layer === undefined || !all && Number(which) >= count) {
    throw optionError(name, `head must be LAYER.HEAD, layer 1 or 2, head 0 to ${count - 1} or all`, head);
  }
  return {
    layer: Number(layer),
    heads: all ? [...Array(count).keys()] : [Number(which)],
    which: all ? "all heads" : `head ${which}`,
  };
}

/** The chosen heads of every draw, each [heads, n, features], as [draws · chosen, n, features]. */
export function pickHeads(draws: readonly Tensor[], heads: readonly number[]): Tensor {
  const [, n, features] = draws[0].shape, size = n * features;
  const data = new Float32Array(draws.length * heads.length * size);
  draws.forEach((draw, b) =>
    heads.forEach((head, h) => {
      data.set(draw.data.subarray(head * size, (head + 1) * size), (b * heads.length + h) * size);
    })
  );
  return tensor(data, [draws.length * heads.length, n, features]);
}

/** One of `count` heads of each draw of a tensor [draws · count, n, features], as [draws, n, features]. */
export function headOfDraws(
  { data, shape: [heads, n, features] }: Tensor,
  head: number,
  count: number,
): Tensor {
  const size = n * features, draws = heads / count, own = new Float32Array(draws * size);
  for (let draw = 0; draw < draws; draw++) {
    const at = (draw * count + head) * size;
    own.set(data.subarray(at, at + size), draw * size);
  }
  return tensor(own, [draws, n, features]);
}
