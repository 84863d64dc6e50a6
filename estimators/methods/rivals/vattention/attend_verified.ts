import type { Backend } from "../../../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../../../kernels/random.ts";
import type { Problem } from "../../../core/problem.ts";
import { scatteredPlaces } from "../../../linear_algebra/scattered_places.ts";
import { attendChosen } from "../shared/attend_chosen.ts";
import type { HostRows } from "../shared/device_products.ts";
import type { CostedHead, Head } from "../shared/each_head.ts";
import { eachRow } from "../shared/each_row.ts";
import { logitRows } from "../shared/logit_rows.ts";
import { openQuery } from "./open_query.ts";
import type { FirstStage, OpenedQuery, OpenQuery } from "./opened_query.ts";

/** How queries are answered: to a relative error of the denominator, or with so many keys in the mean. */
export interface VAttentionOptions extends FirstStage {
  readonly epsilon?: number;
  /** Decides ε by some of the queries; counts if there is no epsilon. */
  readonly keysPerQuery?: number;
  /** How draws are made; {@link openQuery} if left out. */
  readonly open?: OpenQuery;
}

/** Queries that decide ε, halvings of its range in logarithms, and that. */
const DECIDING = 256, HALVINGS = 40, LEAST = 1e-9, MOST = 1e9;

/** Attention of each query to its certain keys and to those it draws. */
export async function attendVerified(
  backend: Backend,
  { at, query, key, value }: Head,
  { queries, keys, features, valueFeatures, scale }: Problem,
  { epsilon, keysPerQuery = keys, open = openQuery, ...stage }: VAttentionOptions,
  seed: number,
  signal?: AbortSignal,
): Promise<CostedHead> {
  const directions = { data: key, count: keys };
  const openRows = async (
    rows: HostRows,
    rowOf: (i: number) => number,
    take: (row: number, opened: OpenedQuery) => void,
  ) => {
    const stretches = logitRows(backend, rows, directions, features, scale, signal);
    for await (const { first, rows, logitsOf } of stretches) {
      await eachRow(rows, signal, (i) => {
        const row = rowOf(first + i), random = new RandomStream(seed, Purpose.choice, at * queries + row);
        take(row, open(logitsOf(i), stage, random));
      });
    }
  };
  let own = epsilon;
  if (own === undefined) {
    const places = scatteredPlaces(queries, DECIDING), data = new Float32Array(places.length * features);
    places.forEach((row, i) => data.set(query.subarray(row * features, (row + 1) * features), i * features));
    const some: OpenedQuery[] = [];
    await openRows({ data, count: places.length }, (i) => places[i], (_, opened) => some.push(opened));
    own = epsilonFor(some, keysPerQuery);
  }
  const output = new Float32Array(queries * valueFeatures), logSumExp = new Float32Array(queries);
  await openRows({ data: query, count: queries }, (row) => row, (row, opened) => {
    const to = output.subarray(row * valueFeatures, (row + 1) * valueFeatures);
    logSumExp[row] = attendChosen(opened.choose(own), value, to);
  });
  return { output, logSumExp, keyEvaluations: queries * keys };
}

/** The least ε at which queries use no more than so many keys in the mean; the largest of its range if there is none. */
export function epsilonFor(queries: readonly OpenedQuery[], keysPerQuery: number): number {
  let low = Math.log(LEAST), high = Math.log(MOST);
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2, epsilon = Math.exp(middle);
    const used = queries.reduce((sum, opened) => sum + opened.used(epsilon), 0);
    if (used > keysPerQuery * queries.length) low = middle;
    else high = middle;
  }
  return Math.exp(high);
}
