import { logSumExp } from "../../../estimators/kde/log_domain.ts";
import { Purpose, RandomStream } from "../../../kernels/random.ts";
import { normals } from "../../data.ts";

/** Points and queries of a test. */
export interface DensityData {
  readonly points: Float32Array;
  readonly queries: Float32Array;
  readonly features: number;
}

/** Normal points and queries: densities of about 3^(−d/2) and below. */
export function gaussianData(count: number, queries: number, features: number): DensityData {
  return { points: normals(1, count * features), queries: normals(2, queries * features), features };
}

/** Tight clusters far apart; queries near a cluster each. */
export function clusteredData(count: number, queries: number, features: number): DensityData {
  const stream = new RandomStream(3, Purpose.data);
  const centres = Array.from({ length: 16 * features }, () => 6 * stream.normal());
  const draw = (rows: number) =>
    Float32Array.from(
      { length: rows * features },
      (_, at) =>
        centres[(Math.floor(at / features) * 7 % 16) * features + at % features] + 0.4 * stream.normal(),
    );
  return { points: draw(count), queries: draw(queries), features };
}

/** Queries far from every point: densities below any floor. */
export function farData(count: number, queries: number, features: number): DensityData {
  const { points } = gaussianData(count, 1, features);
  return {
    points,
    queries: normals(4, queries * features).map((x, at) => x + (at % features === 0 ? 9 : 0)),
    features,
  };
}

/** ln of the mean kernel by its definition, in float64. */
export function definedLogDensity({ points, queries, features }: DensityData): Float64Array {
  const count = points.length / features;
  return Float64Array.from({ length: queries.length / features }, (_, row) => {
    const logarithms = Float64Array.from({ length: count }, (_, point) => {
      let squared = 0;
      for (let t = 0; t < features; t++) {
        squared += (points[point * features + t] - queries[row * features + t]) ** 2;
      }
      return -squared / 2;
    });
    return logSumExp(logarithms) - Math.log(count);
  });
}
