import { chooseHeads, namesOfHeads, pickHeads } from "../choose_heads.ts";
import { readMobyDick } from "../moby_dick.ts";
import type { NamedInput } from "../../proofs_checks/inputs/family.ts";
import { type CheckedOptions, optionError, type Workload } from "../workload.ts";
import { FEATURES, HEADS, openOcrModel, PROJECTIONS, type Projections, splitProjections } from "./model.ts";
import { charactersOf, drawLine, IMAGE_HEIGHT, PIXELS_PER_ROW } from "./text_line.ts";

/** Three rows hold a character. */
const SMALLEST = 3;
/**
 * Largest n of layers 1 and 2, as far as was tried with memory to spare. Below layer 2 the runtime attends
 * exactly, with the n² weights of all eight heads in the memory that WebAssembly can address, which does not
 * hold those of n = 8192; layer 1 has only convolutions below.
 */
const LARGEST: readonly number[] = [16_384, 4096];

/**
 * Real attention heads: the PP-OCRv4 recognition model reading Moby Dick from the image of one long line,
 * draw b the b-th n rows, each an image of its own. `head` is "1.0" (layer 1 or 2, head 0 to 7; the default)
 * or "1.all", which puts the eight heads of a layer after one another for each draw.
 */
export const ocr: Workload = {
  name: "ocr",
  heads: namesOfHeads(HEADS),
  verifyAs: { name: "ocr-heads", n: 2048, heads: ["1.all", "2.all"] },
  load,
};

async function load(options: CheckedOptions): Promise<NamedInput> {
  const { name } = ocr;
  const { n = 512, batch, head = "1.0", onProgress, signal } = options;
  const { layer, heads, which } = chooseHeads(name, head, HEADS);
  const largest = LARGEST[layer - 1];
  if (n < SMALLEST || n > largest) {
    throw optionError(name, `n must be from ${SMALLEST} to ${largest} for layer ${layer}`, n);
  }
  const text = await readMobyDick(options), characters = charactersOf(n);
  if (characters * batch > text.length) {
    const most = Math.floor(text.length / characters);
    throw optionError(name, `batch must be at most ${most} at n = ${n}, where the text ends`, batch);
  }
  const output = PROJECTIONS[layer - 1];
  const model = await openOcrModel([output], options);
  const draws: Projections[] = [];
  try {
    for (let b = 0; b < batch; b++) {
      signal?.throwIfAborted();
      onProgress?.(b, batch, "reading lines of text");
      const image = drawLine(text.slice(b * characters, (b + 1) * characters), n);
      const outputs = await model.run(image, [1, 3, IMAGE_HEIGHT, n * PIXELS_PER_ROW]);
      draws.push(splitProjections(outputs[output]));
    }
    onProgress?.(batch, batch, "reading lines of text");
  } finally {
    await model.release();
  }
  return {
    name,
    query: pickHeads(draws.map((draw) => draw.query), heads),
    key: pickHeads(draws.map((draw) => draw.key), heads),
    value: pickHeads(draws.map((draw) => draw.value), heads),
    scale: 1 / Math.sqrt(FEATURES),
    description: `PP-OCRv4 recognition, layer ${layer}, ${which}, on ${n} rows of a line of Moby Dick`,
  };
}
