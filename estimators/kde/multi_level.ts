import { Purpose, RandomStream } from "../../kernels/random.ts";
import { candidateDistances } from "./candidate_distances.ts";
import { type DensityEstimate, Evaluations, type FitDensity } from "./density.ts";
import { DrawnDensity, fitDrawn } from "./drawn_density.ts";
import { bucketOf, drawHashFunctions, type HashFunctions } from "./euclidean_hash.ts";
import {
  binomialSubset,
  fillTable,
  type HashTable,
  pointsIn,
  projectQueries,
  projectSubsets,
} from "./hash_tables.ts";
import { inclusionProbability, levelOf, type LevelPlan, planLevels } from "./level_plan.ts";
import { MedianOfMeans } from "./median_of_means.ts";

/** Draws built together. */
const CHUNK_DRAWS = 64;
/** Inner products of one submission. */
const CHUNK_FLOATS = 2 ** 21;

/** One draw: for each level the points kept, in tables where it has any. */
interface Draw {
  readonly hash: HashFunctions;
  readonly kept: readonly Uint32Array[];
  readonly tables: readonly HashTable[][];
}

/**
 * Multi-level estimation (Charikar, Kapralov, Nouri and Siminelakis, "Kernel density estimation through density
 * constrained near neighbor search", FOCS 2020). Points are kept with a probability that falls with their distance's
 * level, and those kept are found by locality-sensitive hashing made for that distance; a density of mu leaves
 * few to be found at any level.
 *
 * It differs from the paper in that the points found need not be all: each is weighted by the exact probability of
 * finding it, so that the estimate is unbiased however few tables there are. The levels of a draw share their hash functions,
 * which the variance bound allows.
 */
export class MultiLevel extends DrawnDensity<LevelPlan> {
  readonly #draws = new Map<number, Draw[]>();

  protected planFor(floor: number): LevelPlan {
    return planLevels(floor, this.points.count);
  }

  evaluationsOfDraw(floor: number): number {
    return this.plan(floor).levels.reduce((sum, level) => sum + level.candidates, 0);
  }

  async estimate(
    queries: Float32Array,
    floor: number,
    delta: number,
    signal?: AbortSignal,
  ): Promise<DensityEstimate> {
    const medianPlan = this.draws(floor, delta), count = medianPlan.groups * medianPlan.perGroup;
    const cost = new Evaluations();
    const draws = await this.#build(floor, count, cost, signal);
    const rows = queries.length / this.points.features, result = new MedianOfMeans(rows, medianPlan);
    const functions = Math.max(1, functionsOf(this.plan(floor)));
    const perChunk = Math.max(1, Math.min(CHUNK_DRAWS, Math.floor(CHUNK_FLOATS / (rows * functions))));
    for (let first = 0; first < count; first += perChunk) {
      const chunk = draws.slice(first, Math.min(count, first + perChunk));
      cost.add(await this.#answer(queries, chunk, first, floor, result, signal));
    }
    return cost.with(result.logMedians());
  }

  /** The first `count` draws for a floor; those built before are kept. */
  async #build(floor: number, count: number, cost: Evaluations, signal?: AbortSignal): Promise<Draw[]> {
    const plan = this.plan(floor), functions = functionsOf(plan), { seed } = this.target;
    let draws = this.#draws.get(floor);
    if (!draws) this.#draws.set(floor, draws = []);
    while (draws.length < count) {
      const hashes: HashFunctions[] = [], kept: Uint32Array[][] = [], hashed: Uint32Array[] = [];
      const first = draws.length, end = Math.min(count, first + CHUNK_DRAWS);
      await this.each(end - first, (at) => {
        const d = first + at;
        const stream = new RandomStream(seed, Purpose.tableSample, d);
        const ofLevels = plan.levels.map(({ rate }) => binomialSubset(stream, this.points.count, rate));
        hashes.push(
          drawHashFunctions(new RandomStream(seed, Purpose.hash, d), functions, this.points.features),
        );
        kept.push(ofLevels);
        hashed.push(joined(ofLevels.filter((_, level) => plan.levels[level].functions > 0)));
      }, signal);
      const projections = functions === 0 ? [] : await projectSubsets(
        this.backend,
        this.points,
        hashed,
        hashes.map(({ directions }) => directions),
        signal,
      );
      const filled: Draw[] = [];
      await this.each(hashes.length, (at) => {
        const hash = hashes[at];
        filled.push({ hash, kept: kept[at], tables: fillLevels(plan, kept[at], projections[at], hash) });
        cost.add({ buildEvaluations: hashed[at].length * functions });
      }, signal);
      draws.push(...filled);
    }
    return draws;
  }

  /** Adds what some draws say about each query. */
  async #answer(
    queries: Float32Array,
    draws: readonly Draw[],
    firstDraw: number,
    floor: number,
    result: MedianOfMeans,
    signal?: AbortSignal,
  ): Promise<Partial<DensityEstimate>> {
    const { features, count } = this.points, { levels } = this.plan(floor);
    const functions = functionsOf(this.plan(floor)), rows = queries.length / features;
    const directions = new Float32Array(draws.length * functions * features);
    draws.forEach(({ hash }, d) => directions.set(hash.directions, d * functions * features));
    const projections = functions === 0
      ? new Float32Array(0)
      : await projectQueries(this.backend, this.points.centre(queries), directions, features, signal);

    const candidates: number[][] = [], origins: number[][] = [];
    await this.each(rows, (row) => {
      const found: number[] = [], origin: number[] = [];
      draws.forEach((draw, d) => {
        const start = (row * draws.length + d) * functions;
        levels.forEach((_, level) => {
          for (const point of this.#find(draw, level, floor, projections, start)) {
            found.push(point);
            origin.push(d * levels.length + level);
          }
        });
      });
      candidates.push(found);
      origins.push(origin);
    }, signal);
    const distances = await candidateDistances(this.backend, this.points, queries, candidates, signal);
    let kernelEvaluations = 0;
    await this.each(rows, (row) => {
      kernelEvaluations += distances[row].length;
      distances[row].forEach((squared, at) => {
        const index = origins[row][at] % levels.length, level = levels[index];
        if (levelOf(squared, levels.length) !== index) return;
        const share = level.rate * inclusionProbability(level, Math.sqrt(squared));
        const draw = firstDraw + Math.floor(origins[row][at] / levels.length);
        result.add(row, draw, -squared / 2 - Math.log(count * share));
      });
    }, signal);
    return { kernelEvaluations, hashEvaluations: rows * draws.length * functions };
  }

  /** The kept points of a level that share a bucket with the query, each once. */
  #find(
    { kept, tables, hash }: Draw,
    level: number,
    floor: number,
    projections: Float32Array,
    start: number,
  ): Iterable<number> {
    const { functions, width } = this.plan(floor).levels[level];
    if (functions === 0) return kept[level];
    const found = new Set<number>();
    tables[level].forEach((table, t) => {
      const first = t * functions;
      const bucket = bucketOf(projections, start + first, hash.offsets, first, functions, width);
      for (const point of pointsIn(table, bucket)) found.add(point);
    });
    return found;
  }
}

/** Hash functions of a draw: as many as the level with the most takes. */
function functionsOf({ levels }: LevelPlan): number {
  return levels.reduce((most, { functions, tables }) => Math.max(most, functions * tables), 0);
}

function joined(lists: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(lists.reduce((sum, list) => sum + list.length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return all;
}

/** The tables of each level from the inner products of all its kept points, levels after one another. */
function fillLevels(
  { levels }: LevelPlan,
  kept: readonly Uint32Array[],
  projections: Float32Array | undefined,
  hash: HashFunctions,
): HashTable[][] {
  let start = 0;
  return levels.map(({ functions, width, tables }, level) => {
    if (functions === 0 || !projections) return [];
    const own = projections.subarray(start, start += kept[level].length * hash.offsets.length);
    return Array.from(
      { length: tables },
      (_, t) => fillTable(kept[level], own, hash, { functions, width, firstFunction: t * functions }),
    );
  });
}

/** Fits a multi-level estimator. */
export const multiLevelDensity: FitDensity = fitDrawn(MultiLevel);
