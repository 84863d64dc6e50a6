import { drawHyperplanes } from "../../estimators/methods/shared/hash_draws.ts";
import { clusteredValues, drawClusters, pullToCentres } from "./clustered.ts";
import type { AttentionInput, InputFamily, InputOptions } from "./family.ts";
import { InputDraw, Stream } from "./input_draw.ts";
import { addToRow, dotRows, orthonormalise } from "./vectors.ts";

/** Options of the families that know the hyperplanes. */
export interface HyperplaneOptions {
  /** Seed of the attention call under attack, 0 by default. */
  readonly attackedSeed?: number;
  /**
   * Hyperplanes to control: 24 by default, the most that attention() takes, but at most half of the features. A call
   * that takes fewer takes the first of them.
   */
  readonly projections?: number;
}

const CLUSTERS = 64;
/** Inner product of every row with every hyperplane's normal, ±: small beside the rows' lengths, large beside rounding. */
const MARGIN = 0.25;

/** Rows a hair's breadth beside every hyperplane of one seed, on independent random sides. */
export const nearHyperplane: InputFamily<HyperplaneOptions> = {
  name: "near-hyperplane",
  description:
    "Clusters so close to all hyperplanes that seed 0 draws that every sign bit is a coin flip: hashing joins nothing " +
    "but by chance, the residual must carry the guarantee, and a fresh seed sees ordinary clusters.",
  generate(options: InputOptions & HyperplaneOptions): AttentionInput {
    const draw = new InputDraw("near-hyperplane", options);
    const random = draw.random(Stream.order);
    const coin = () => random.integer(2) ? 1 : -1;
    return besideHyperplanes(draw, options, coin, coin);
  },
};

/** Clusters whose queries and keys lie on opposite sides of every hyperplane of one seed. */
export const seedAware: InputFamily<HyperplaneOptions> = {
  name: "seed-aware",
  description:
    "Clusters whose queries lie on one side and whose keys lie on the other side of all hyperplanes that seed 0 draws: " +
    "with that seed the hash separates exactly what attention joins and the residual must carry the guarantee, with a " +
    "fresh seed blocks do.",
  generate(options: InputOptions & HyperplaneOptions): AttentionInput {
    const draw = new InputDraw("seed-aware", options);
    const random = draw.random(Stream.order);
    const codes = Int8Array.from(
      { length: CLUSTERS / 2 * draw.features },
      () => random.integer(2) ? 1 : -1,
    );
    // Clusters in pairs of opposite codes: the mean key, which the hash subtracts, stays between the sides.
    const side = (cluster: number, plane: number) =>
      codes[(cluster >> 1) * draw.features + plane] * (cluster & 1 ? -1 : 1);
    return besideHyperplanes(draw, options, side, (cluster, plane) => -side(cluster, plane));
  },
};

type Side = (cluster: number, plane: number) => number;

function besideHyperplanes(
  draw: InputDraw,
  { attackedSeed = 0, projections = Math.min(24, Math.floor(draw.features / 2)) }: HyperplaneOptions,
  keySide: Side,
  querySide: Side,
): AttentionInput {
  const { queries, keys, features } = draw;
  draw.check(
    Number.isInteger(projections) && projections >= 1 && projections < features,
    `projections must be an integer from 1 to ${features - 1}, less than features`,
    projections,
  );
  const planes = orthonormalise(
    drawHyperplanes(attackedSeed, { first: draw.draw, count: 1 }, projections, features),
    projections,
    features,
  );
  const even = new Array<number>(CLUSTERS).fill(1 / CLUSTERS);
  const centres = draw.normals(Stream.centres, CLUSTERS * features);
  const place = (normals: Float32Array, clusters: Uint8Array, side: Side) => {
    pullToCentres(normals, features, centres, clusters);
    // What lies in the span of the normals goes; the rest makes up for it, so that logits are those of clustered.
    const rows = normals.map((x) => x * Math.sqrt(features / (features - projections)));
    clusters.forEach((cluster, i) =>
      beside(rows, i, features, planes, (plane) => MARGIN * side(cluster, plane))
    );
    return rows;
  };
  const queryClusters = drawClusters(draw, Stream.queryClusters, queries, even);
  const keyClusters = drawClusters(draw, Stream.keyClusters, keys, even);
  return draw.input(
    place(draw.normalQueries(), queryClusters, querySide),
    place(draw.normalKeys(), keyClusters, keySide),
    clusteredValues(draw, keyClusters, CLUSTERS),
  );
}

/** Moves row i within the span of the normals so that its product with each becomes the target. */
function beside(
  rows: Float32Array,
  i: number,
  width: number,
  { basis, triangle }: ReturnType<typeof orthonormalise>,
  target: (plane: number) => number,
): void {
  const count = basis.length / width, solution = new Float64Array(count);
  for (let plane = 0; plane < count; plane++) {
    // Forward substitution: normal = triangle · basis, and the solution holds coordinates in the basis.
    let rest = target(plane);
    for (let p = 0; p < plane; p++) rest -= triangle[plane * count + p] * solution[p];
    solution[plane] = rest / triangle[plane * count + plane];
  }
  for (let plane = 0; plane < count; plane++) {
    const axis = basis.subarray(plane * width, (plane + 1) * width);
    addToRow(rows, i, axis, solution[plane] - dotRows(rows, i, axis, 0, width));
  }
}
