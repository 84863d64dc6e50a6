import { clusteredValues, drawClusters, pullToCentres } from "./clustered.ts";
import type { AttentionInput, InputFamily, InputOptions } from "./family.ts";
import { InputDraw, Stream } from "./input_draw.ts";
import { orthonormalise, setRow } from "./vectors.ts";

const GROUPS = 16;
/** One key in this many is long. */
const LONG_EVERY = 16;
const LONG = 20;
const NOISE = 0.1;

/**
 * Queries along one direction of a pair, short keys along it too, long keys at 60° to it. At n = 4096 and d = 64 the
 * long keys of a query's own pair weigh n/256 · e^{10} = 86 n, its short ones 3.4 n, all others some 2.4 n.
 */
export const normVersusAngle: InputFamily = {
  name: "norm-versus-angle",
  description:
    "The keys nearest in angle to a query are short and weigh little, those that weigh most are long and at 60°: hashing " +
    "by angle joins the wrong ones, and the residual must carry the guarantee.",
  generate(options: InputOptions): AttentionInput {
    const draw = new InputDraw("norm-versus-angle", options);
    const { keys, features } = draw;
    draw.check(features >= 2, "features must be at least 2", features);
    const axes = draw.normals(Stream.centres, GROUPS * 2 * features);
    const pairs = Array.from({ length: GROUPS }, (_, group) => {
      const { basis } = orthonormalise(axes.subarray(group * 2 * features), 2, features);
      return { straight: basis.subarray(0, features), aside: basis.subarray(features) };
    });
    const query = draw.normalQueries(), key = draw.normalKeys();
    const ofQuery = draw.random(Stream.queryClusters), ofKey = draw.random(Stream.keyClusters);
    const root = Math.sqrt(features);
    mix(query, features, () => pairs[ofQuery.integer(GROUPS)].straight, root);
    const places = draw.random(Stream.order).distinct(keys, keys);
    const long = new Set(places.subarray(0, Math.ceil(keys / LONG_EVERY)));
    mix(key, features, (j) => {
      const { straight, aside } = pairs[ofKey.integer(GROUPS)];
      if (!long.has(j)) return straight.map((x) => x * root / 2);
      return straight.map((x, t) => LONG * (x / 2 + aside[t] * Math.sqrt(3) / 2));
    }, 1);
    return draw.input(query, key);
  },
};

/** Turns normal noise into a little noise around a vector chosen for each row. */
function mix(
  rows: Float32Array,
  width: number,
  centre: (i: number) => Float64Array,
  factor: number,
): void {
  for (let i = 0; i < rows.length / width; i++) {
    const vector = centre(i);
    setRow(rows, i, vector.map((x, t) => factor * x + NOISE * rows[i * width + t]), 1);
  }
}

const CLUSTERS = 64;
const HIDDEN_DEVIATION = 8;
/** Logits inside a cluster are then 1.8 · 0.9 · 32/√64 = 6.5 on average, the others of standard deviation 1.3. */
const VISIBLE_DEVIATION = Math.sqrt(1.8);

/** Clusters in one half of the coordinates, long noise of the keys alone in the other. */
export const hiddenDirections: InputFamily = {
  name: "hidden-directions",
  description:
    "Clusters in half of the coordinates, where queries are zero in the other half and keys hold noise that is far " +
    "longer: every hyperplane of every seed splits keys by what no query sees, and the residual must carry the guarantee.",
  generate(options: InputOptions): AttentionInput {
    const draw = new InputDraw("hidden-directions", options);
    const { queries, keys, features } = draw;
    draw.check(features >= 2, "features must be at least 2", features);
    const visible = Math.ceil(features / 2);
    const even = new Array<number>(CLUSTERS).fill(1 / CLUSTERS);
    const centres = draw.normals(Stream.centres, CLUSTERS * features);
    const query = draw.normalQueries(), key = draw.normalKeys(), noise = draw.normalKeys(HIDDEN_DEVIATION);
    pullToCentres(query, features, centres, drawClusters(draw, Stream.queryClusters, queries, even));
    const keyClusters = drawClusters(draw, Stream.keyClusters, keys, even);
    pullToCentres(key, features, centres, keyClusters);
    const seen = (at: number) => at % features < visible;
    return draw.input(
      query.map((x, at) => seen(at) ? VISIBLE_DEVIATION * x : 0),
      key.map((x, at) => seen(at) ? VISIBLE_DEVIATION * x : noise[at]),
      clusteredValues(draw, keyClusters, CLUSTERS),
    );
  },
};
