import type { Backend } from "../../kernels/backend.ts";
import { purposeOfRound } from "../../kernels/purposes.ts";
import { RandomStream } from "../../kernels/random.ts";
import { exactAttention } from "../core/exact.ts";
import type { Progress } from "../core/head_chunks.ts";
import type { Problem } from "../core/problem.ts";
import type { HeadGeometry } from "./head_geometry.ts";
import { pickRows } from "../linear_algebra/pick_rows.ts";

/** The drawn rows of one query head. */
export interface DrawnRows {
  /** [rows]: which they are, in the order in which they were drawn. */
  readonly picks: Uint32Array;
  /** [rows, valueFeatures]: attention, but for rounding. */
  readonly output: Float32Array;
  /** [rows]: the image of the direction of the head under each row of P. */
  readonly images: Float32Array;
}

/**
 * Rows of each query head, drawn uniformly without replacement and computed exactly. More may be drawn later: those of a head are
 * the beginning of one random order of its rows, whatever the steps in which they were asked for. They tell the error of any output
 * that does not depend on the seed, and serve every attempt of a call; if none holds, exact attention computes the others alone.
 */
export class ExactRows {
  /** Rows of each query head so far. */
  rows = 0;
  readonly #problem: Problem;
  readonly #geometry: readonly HeadGeometry[];
  readonly #seed: number;
  readonly #round: number;
  readonly #drawn: DrawnRows[];
  /** Of the key head that rows were last computed for. */
  #widened?: { readonly keyHead: number; readonly values: Float32Array };

  /**
   * @param problem One in which every query sees every key.
   * @param seed What is checked by these rows must not depend on it.
   * @param round Tells the draws of one seed apart.
   */
  constructor(problem: Problem, geometry: readonly HeadGeometry[], seed: number, round = 0) {
    this.#problem = problem;
    this.#geometry = geometry;
    this.#seed = seed;
    this.#round = round;
    this.#drawn = geometry.map(() => ({
      picks: new Uint32Array(0),
      output: new Float32Array(0),
      images: new Float32Array(0),
    }));
  }

  /** Those of one query head. */
  ofHead(head: number): DrawnRows {
    return this.#drawn[head];
  }

  /** Draws and computes further rows, so that there are so many of each query head. */
  async extendTo(backend: Backend, rows: number, signal?: AbortSignal): Promise<void> {
    const { heads, queries, period } = this.#problem, group = queries / period, before = this.rows;
    if (rows <= before) return;
    for (let keyHead = 0; keyHead < heads; keyHead++) {
      const members = Array.from({ length: group }, (_, at) => keyHead * group + at);
      const picks = members.map((head) =>
        new RandomStream(this.#seed, purposeOfRound("certificateRows", this.#round), head)
          .distinct(rows, period)
      );
      const added = picks.map((own) => own.subarray(before));
      const computed = await this.#attend(backend, keyHead, added, signal);
      members.forEach((head, at) => {
        const { output, images } = this.#drawn[head];
        this.#drawn[head] = {
          picks: picks[at],
          output: append(output, computed[at].output),
          images: append(images, computed[at].images),
        };
      });
    }
    this.rows = rows;
  }

  /** Writes the rows into an output [heads, queries, valueFeatures]. */
  writeInto(output: Float32Array): void {
    const { period, valueFeatures: width } = this.#problem;
    this.#drawn.forEach((own, head) => scatter(own.output, own.picks, output, head * period, width));
  }

  /** Exact attention, for which only the rows that were not drawn are computed. */
  async complete(backend: Backend, progress: Progress): Promise<Float32Array> {
    const { queries, period, features, valueFeatures } = this.#problem, left = period - this.rows;
    if (this.rows === 0) return (await exactAttention(backend, this.#problem, progress)).output;
    const output = new Float32Array(this.#drawn.length * period * valueFeatures);
    this.writeInto(output);
    if (left === 0) return output;
    const gaps = this.#drawn.map(({ picks }) => gapsBetween(picks, period));
    const query = new Float32Array(this.#drawn.length * left * features);
    gaps.forEach((own, head) => {
      let to = head * left * features;
      for (const [start, end] of own) {
        query.set(
          this.#problem.query.subarray((head * period + start) * features, (head * period + end) * features),
          to,
        );
        to += (end - start) * features;
      }
    });
    const rest = { ...this.#problem, query, queries: queries / period * left, period: left };
    const computed = (await exactAttention(backend, rest, progress)).output;
    gaps.forEach((own, head) => {
      let from = head * left * valueFeatures;
      for (const [start, end] of own) {
        const length = (end - start) * valueFeatures;
        output.set(computed.subarray(from, from + length), (head * period + start) * valueFeatures);
        from += length;
      }
    });
    return output;
  }

  /** Attention of the picked rows of the query heads that share a key head, in one pass with the images of their directions. */
  async #attend(
    backend: Backend,
    keyHead: number,
    picks: readonly Uint32Array[],
    signal?: AbortSignal,
  ): Promise<{ output: Float32Array; images: Float32Array }[]> {
    const { queries, period, keys, features, valueFeatures, scale, logWeights } = this.#problem;
    const group = picks.length, rows = picks[0].length, width = valueFeatures + group;
    const query = new Float32Array(group * rows * features);
    picks.forEach((own, at) => {
      const first = keyHead * queries + at * period;
      query.set(
        pickRows(this.#problem.query.subarray(first * features), features, own),
        at * rows * features,
      );
    });
    const { output } = backend.attend({
      heads: 1,
      queries: group * rows,
      keys,
      features,
      valueFeatures: width,
      scale,
      query: backend.upload(query),
      key: backend.upload(
        this.#problem.key.subarray(keyHead * keys * features, (keyHead + 1) * keys * features),
      ),
      value: backend.upload(this.#valuesAndDirections(keyHead, group)),
      logWeights: logWeights && backend.upload(logWeights.subarray(keyHead * keys, (keyHead + 1) * keys)),
    });
    const [computed] = await backend.run([output], signal) as Float32Array[];
    backend.reset();
    return picks.map((_, at) => {
      const own = { output: new Float32Array(rows * valueFeatures), images: new Float32Array(rows) };
      for (let row = 0; row < rows; row++) {
        const from = (at * rows + row) * width;
        own.output.set(computed.subarray(from, from + valueFeatures), row * valueFeatures);
        own.images[row] = computed[from + valueFeatures + at];
      }
      return own;
    });
  }

  /** The values of a key head with the directions of its query heads as more columns. */
  #valuesAndDirections(keyHead: number, group: number): Float32Array {
    if (this.#widened?.keyHead === keyHead) return this.#widened.values;
    const { value, keys, valueFeatures } = this.#problem;
    const width = valueFeatures + group, values = new Float32Array(keys * width);
    for (let j = 0, to = 0, from = keyHead * keys * valueFeatures; j < keys; j++) {
      for (let c = 0; c < valueFeatures; c++) values[to++] = value[from++];
      for (let at = 0; at < group; at++) values[to++] = this.#geometry[keyHead * group + at].direction[j];
    }
    this.#widened = { keyHead, values };
    return values;
  }
}

function append(before: Float32Array, added: Float32Array): Float32Array {
  if (before.length === 0) return added;
  const all = new Float32Array(before.length + added.length);
  all.set(before);
  all.set(added, before.length);
  return all;
}

function scatter(
  rows: Float32Array,
  places: Uint32Array,
  into: Float32Array,
  firstRow: number,
  width: number,
): void {
  places.forEach((row, at) =>
    into.set(rows.subarray(at * width, (at + 1) * width), (firstRow + row) * width)
  );
}

/** The rows below `count` that are not among the picks, as ranges [start, end): few where few were picked. */
function gapsBetween(picks: Uint32Array, count: number): [number, number][] {
  const gaps: [number, number][] = [];
  let start = 0;
  for (const pick of [...picks.toSorted(), count]) {
    if (pick > start) gaps.push([start, pick]);
    start = pick + 1;
  }
  return gaps;
}
