import { chooseHeads, namesOfHeads, pickHeads } from "../choose_heads.ts";
import { readMobyDick } from "../moby_dick.ts";
import type { NamedInput } from "../../proofs_checks/inputs/family.ts";
import { type CheckedOptions, optionError, type Workload } from "../workload.ts";
import { HEADS } from "./heads.ts";
import { loadSentenceEncoder, type Projections } from "./model.ts";
import { plainAttention } from "./plain_attention.ts";
import { firstTokens } from "./text.ts";

/**
 * Real attention heads: Universal Sentence Encoder lite reading Moby Dick, draw b the b-th n tokens, each a
 * sequence of its own. `head` is "1.0" (layer 1 or 2, head 0 to 3; the default) or "1.all", which puts the four
 * heads of a layer after one another for each draw.
 */
export const sentenceEncoder: Workload = {
  name: "sentence-encoder",
  heads: namesOfHeads(HEADS),
  verifyAs: { name: "sentence-encoder", n: 4096 },
  load,
};

async function load(options: CheckedOptions): Promise<NamedInput> {
  const { name } = sentenceEncoder;
  const { n = 4096, batch, head = "1.0" } = options;
  const { layer, heads, which } = chooseHeads(name, head, HEADS);

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
  const query = pickHeads(draws.map((draw) => draw.query), heads);
  return {
    name,
    query,
    key: pickHeads(draws.map((draw) => draw.key), heads),
    value: pickHeads(draws.map((draw) => draw.value), heads),
    scale: 1 / Math.sqrt(query.shape[2]),
    description: `Universal Sentence Encoder lite, layer ${layer}, ${which}, ` +
      `on ${n} tokens of Moby Dick`,
  };
}
