import { multiplyHigh, Purpose, RandomStream, randomWord, seedWords } from "../../kernels/random.ts";
import { candidateDistances } from "./candidate_distances.ts";
import { type DensityEstimate, Evaluations, type FitDensity } from "./density.ts";
import { DrawnDensity, fitDrawn } from "./drawn_density.ts";
import { bucketOf, collisionProbability, drawHashFunctions, type HashFunctions } from "./euclidean_hash.ts";
import {
  binomialSubset,
  fillTable,
  type HashTable,
  pointsIn,
  projectQueries,
  projectSubsets,
} from "./hash_tables.ts";
import { type HashingPlan, planHashing } from "./hashing_plan.ts";
import { MedianOfMeans } from "./median_of_means.ts";

/** Tables built together. */
const CHUNK_TABLES = 512;
/** Inner products of one submission. */
const CHUNK_FLOATS = 2 ** 21;

/** One draw: a table over some of the points, and its hash functions. */
interface DrawTable {
  readonly hash: HashFunctions;
  readonly table: HashTable;
}

/**
 * Hashing-based estimation (Charikar and Siminelakis, "Hashing-based-estimators for kernel density in high dimensions",
 * FOCS 2017), in the linear-space variant of Backurs, Indyk and Wagner ("Space and time efficient kernel density
 * estimation in high dimensions", NeurIPS 2019).
 *
 * A table holds each point with probability rho and hashes it. A draw takes one point x of the query's bucket
 * uniformly and gives Z = k(x)·|bucket|/(n rho p(x)), p(x) being the exact probability that x falls into the query's
 * bucket: unbiased, since near points, which matter, are found more often. The answer is a median of means over tables.
 */
export class HashingBased extends DrawnDensity<HashingPlan> {
  readonly #tables = new Map<number, DrawTable[]>();

  protected planFor(floor: number): HashingPlan {
    return planHashing(floor, this.points.count);
  }

  evaluationsOfDraw(): number {
    return 1;
  }

  async estimate(
    queries: Float32Array,
    floor: number,
    delta: number,
    signal?: AbortSignal,
  ): Promise<DensityEstimate> {
    const { features } = this.points, { functions } = this.plan(floor);
    const medianPlan = this.draws(floor, delta), tables = medianPlan.groups * medianPlan.perGroup;
    const cost = new Evaluations();
    const built = await this.#build(floor, tables, cost, signal);
    const rows = queries.length / features, result = new MedianOfMeans(rows, medianPlan);
    const perChunk = Math.max(1, Math.floor(CHUNK_FLOATS / (rows * Math.max(1, functions))));
    for (let first = 0; first < tables; first += perChunk) {
      const chunk = built.slice(first, Math.min(tables, first + perChunk));
      cost.add(await this.#draw(queries, chunk, first, floor, result, signal));
    }
    return cost.with(result.logMedians());
  }

  /** The first `count` tables for a floor; those built before are kept. */
  async #build(
    floor: number,
    count: number,
    cost: Evaluations,
    signal?: AbortSignal,
  ): Promise<DrawTable[]> {
    const { functions, width, tablePoints } = this.plan(floor);
    const { seed } = this.target, { count: n, features } = this.points;
    let tables = this.#tables.get(floor);
    if (!tables) this.#tables.set(floor, tables = []);
    while (tables.length < count) {
      const first = tables.length, end = Math.min(count, first + CHUNK_TABLES);
      const subsets: Uint32Array[] = [], hashes: HashFunctions[] = [];
      await this.each(end - first, (at) => {
        const t = first + at;
        subsets.push(binomialSubset(new RandomStream(seed, Purpose.tableSample, t), n, tablePoints / n));
        hashes.push(drawHashFunctions(new RandomStream(seed, Purpose.hash, t), functions, features));
      }, signal);
      const projections = functions === 0 ? subsets.map(() => new Float32Array(0)) : await projectSubsets(
        this.backend,
        this.points,
        subsets,
        hashes.map(({ directions }) => directions),
        signal,
      );
      const shape = { functions, width, firstFunction: 0 };
      const filled: DrawTable[] = [];
      await this.each(subsets.length, (at) => {
        const hash = hashes[at];
        filled.push({ hash, table: fillTable(subsets[at], projections[at], hash, shape) });
        cost.add({ buildEvaluations: subsets[at].length * functions });
      }, signal);
      tables.push(...filled);
    }
    return tables;
  }

  /** One draw for each query from each of some tables. */
  async #draw(
    queries: Float32Array,
    tables: readonly DrawTable[],
    firstTable: number,
    floor: number,
    result: MedianOfMeans,
    signal?: AbortSignal,
  ): Promise<Partial<DensityEstimate>> {
    const { features } = this.points, { functions, width, tablePoints } = this.plan(floor);
    const rows = queries.length / features, seed = seedWords(this.target.seed);
    const directions = new Float32Array(tables.length * functions * features);
    tables.forEach(({ hash }, t) => directions.set(hash.directions, t * functions * features));
    const projections = functions === 0
      ? new Float32Array(0)
      : await projectQueries(this.backend, this.points.centre(queries), directions, features, signal);
    const picks: number[][] = [], draws: number[][] = [], sizes: number[][] = [];
    await this.each(rows, (row) => {
      const pick: number[] = [], draw: number[] = [], size: number[] = [];
      tables.forEach(({ hash, table }, t) => {
        const start = (row * tables.length + t) * functions;
        const bucket = pointsIn(table, bucketOf(projections, start, hash.offsets, 0, functions, width));
        if (bucket.length === 0) return;
        const word = randomWord(seed, Purpose.bucketPick, firstTable + t, row);
        pick.push(bucket[multiplyHigh(word, bucket.length)]);
        draw.push(firstTable + t);
        size.push(bucket.length);
      });
      picks.push(pick);
      draws.push(draw);
      sizes.push(size);
    }, signal);
    const distances = await candidateDistances(this.backend, this.points, queries, picks, signal);
    let kernelEvaluations = 0;
    await this.each(rows, (row) => {
      kernelEvaluations += picks[row].length;
      distances[row].forEach((squared, at) => {
        const logShare = functions * Math.log(collisionProbability(Math.sqrt(squared), width));
        result.add(row, draws[row][at], Math.log(sizes[row][at] / tablePoints) - squared / 2 - logShare);
      });
    }, signal);
    return { kernelEvaluations, hashEvaluations: rows * tables.length * functions };
  }
}

/** Fits a hashing-based estimator. */
export const hashingBasedDensity: FitDensity = fitDrawn(HashingBased);
