import { type Tensor, tensor } from "../../../kernels/tensor.ts";
import { type CheckedOptions, optionError, type Workload } from "../workload.ts";
import { HEADS } from "./heads.ts";
import { loadSentenceEncoder, type Projections } from "./model.ts";
import { plainAttention } from "./plain_attention.ts";
import { firstTokens, readMobyDick } from "./text.ts";

/**
 * Real attention heads: Universal Sentence Encoder lite reading Moby Dick, draw b the b-th n tokens, each a
 * sequence of its own. `head` is "1.0" (layer 1 or 2, head 0 to 3; the default) or "1.all", which puts the four
 * heads of a layer after one another for each draw.
 */
export async function sentenceEncoder(name: string, options: CheckedOptions): Promise<Workload> {
  const { n = 4096, batch, head = "1.0" } = options;
  const selection = /^([12])\.([0-3]|all)$/.exec(head);
  if (!selection) {
    throw optionError(name, "head must be LAYER.HEAD, layer 1 or 2, head 0 to 3 or all", head);
  }
  const layer = Number(selection[1]);
  const all = selection[2] === "all";
  const heads = all ? [...Array(HEADS).keys()] : [Number(selection[2])];
  const which = all ? "all heads" : `head ${selection[2]}`;

  const encoder = await loadSentenceEncoder(options);
  const tokens = firstTokens(await readMobyDick(options), encoder.tokeniser, n * batch);
  if (tokens.length < n * batch) {
    throw optionError(name, `n · batch must be at most ${tokens.length}, the tokens of the text`, n * batch);
  }
  const attention = options.attention ?? plainAttention(options);
  const draws: Projections[] = [];
  for (let b = 0; b < batch; b++) {
    draws.push(await encoder.projections(tokens.slice(b * n, (b + 1) * n), layer, attention, options));
  }
  const query = pick(draws.map((draw) => draw.query), heads);
  return {
    name,
    query,
    key: pick(draws.map((draw) => draw.key), heads),
    value: pick(draws.map((draw) => draw.value), heads),
    scale: 1 / Math.sqrt(query.shape[2]),
    description: `Universal Sentence Encoder lite, layer ${layer}, ${which}, ` +
      `on ${n} tokens of Moby Dick`,
  };
}

/** The chosen heads of every draw, [draws · heads, n, features]. */
function pick(draws: readonly Tensor[], heads: readonly number[]): Tensor {
  const [, n, features] = draws[0].shape, size = n * features;
  const data = new Float32Array(draws.length * heads.length * size);
  draws.forEach((draw, b) =>
    heads.forEach((head, h) => {
      data.set(draw.data.subarray(head * size, (head + 1) * size), (b * heads.length + h) * size);
    })
  );
  return tensor(data, [draws.length * heads.length, n, features]);
}
