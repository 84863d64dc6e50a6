import type { HalvedKeys } from "../../kernels/backend.ts";
import { checkBoolean, checkFinite } from "../../kernels/check_values.ts";
import { formatShape, readTensor, sizeOf, type Tensor } from "../../kernels/tensor.ts";
import { clearHidden, maskWeights } from "./key_mask.ts";
import { largestMagnitude } from "../../kernels/wasm/largest_magnitude.ts";
import { checkMagnitude, LARGEST } from "./magnitude.ts";
import { takeSnapshot } from "./snapshot.ts";

/** What decides which keys a query sees, and how inner products are scaled. */
export interface ProblemOptions {
  /** Factor on every inner product; 1/sqrt(d) by default. */
  scale?: number;
  /** Query i sees keys up to i + n_k − n_q: the last query sees every key. */
  causal?: boolean;
  /**
   * 1 or true for the keys that may be seen, 0 or false for the others; [n_k], or the shape of the key without its last
   * dimension. What hidden keys and their values hold, as long as it is finite, changes nothing.
   */
  keyMask?: ArrayLike<number | boolean>;
}

/**
 * A checked attention problem in the form that backends take, on copies of its tensors. Grouped-query heads that share one key head are
 * stacked into its queries.
 */
export interface Problem {
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  /** Number of key heads, batch included. */
  readonly heads: number;
  /** Queries per key head: query heads per key head × n_q. */
  readonly queries: number;
  readonly keys: number;
  readonly features: number;
  readonly valueFeatures: number;
  readonly scale: number;
  /** See `AttendArguments.distances`. */
  readonly distances?: boolean;
  /** n_q, the length of one sequence of queries. */
  readonly period: number;
  /** Key j is visible to query row i if j <= (i mod period) + offset; undefined: every key. */
  readonly causalOffset?: number;
  /** [heads, keys]: EMPTY hides a key; others are 0, or the logits that all queries share (`centred.ts`). */
  readonly logWeights?: Float32Array;
  /** [heads, features]: what was taken off the queries; its logits are in `logWeights`. */
  readonly queryCentre?: Float64Array;
  /** Largest |x| in the keys that may be seen. */
  readonly largestKey: number;
  /** Largest |x| in their values. */
  readonly largestValue: number;
  /** Lets exact attention hold keys and values in half floats. */
  readonly halves?: HalvedKeys;
  /** Shape of the output: that of the query with d_v as its last dimension. */
  readonly outputShape: readonly number[];
}

/**
 * Checks tensors and options and brings them into one form.
 *
 * @throws {TypeError} If a shape does not fit.
 * @throws {RangeError} If a value is not finite or too large, or some query sees no key.
 */
export function makeProblem(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: ProblemOptions = {},
): Problem {
  const given = {
    query: readTensor("query", query),
    key: readTensor("key", key),
    value: readTensor("value", value),
  };
  for (const [name, { shape }] of Object.entries(given)) {
    if (shape.length < 2) {
      throw new TypeError(
        `Cannot attend: ${name} must have at least 2 dimensions: current shape is ${formatShape(shape)}`,
      );
    }
  }
  const { query: { shape: queryShape }, key: { shape: keyShape }, value: { shape: valueShape } } = given;
  const [periodQueries, features] = queryShape.slice(-2);
  const [keys, keyFeatures] = keyShape.slice(-2);
  const [values, valueFeatures] = valueShape.slice(-2);
  if (keyFeatures !== features) {
    throw new TypeError(`Cannot attend: key has ${keyFeatures} features but query has ${features}`);
  }
  if (values !== keys) throw new TypeError(`Cannot attend: value has ${values} rows but key has ${keys}`);
  const { heads, group } = matchHeads(queryShape, keyShape, valueShape);
  const { scale = 1 / Math.sqrt(features), causal = false, keyMask } = options;
  checkFinite("attend", "scale", scale);
  checkBoolean("attend", "causal", causal);
  const logWeights = keyMask === undefined ? undefined : maskWeights(keyMask, heads, keys);

  // Copied first, then checked: memory shared with other threads may change at any time.
  const copy = (name: keyof typeof given): Tensor & { largest: number } => {
    const { shape } = given[name], { data, largest } = takeSnapshot(given[name].data);
    checkMagnitude(name, { data, shape }, largest);
    if (!logWeights || name === "query") return { data, shape, largest };
    clearHidden(data, shape[shape.length - 1], logWeights);
    return { data, shape, largest: largestMagnitude(data) };
  };
  const { data: queries, largest: largestQuery } = copy("query");
  const { data: keyRows, largest: largestKey } = copy("key");
  const { data: valueRows, largest: largestValue } = copy("value");
  const largestLogit = largestQuery * largestKey * features * Math.max(1, Math.abs(scale));
  if (!(largestLogit < LARGEST)) {
    throw new RangeError(
      `Cannot attend: logits must stay below ${LARGEST}: query values reach ${largestQuery} and key values ${largestKey} ` +
        `with ${features} features at scale ${scale}`,
    );
  }
  const problem: Problem = {
    query: queries,
    key: keyRows,
    value: valueRows,
    heads,
    queries: group * periodQueries,
    keys,
    features,
    valueFeatures,
    scale,
    period: periodQueries,
    causalOffset: causal ? keys - periodQueries : undefined,
    logWeights,
    largestKey,
    largestValue,
    outputShape: [...queryShape.slice(0, -1), valueFeatures],
  };
  return problem;
}

/**
 * Refuses a problem in which some query sees no key.
 *
 * @throws {RangeError} Naming the first such query.
 */
export function checkVisibility({ heads, keys, period, causalOffset, logWeights }: Problem): void {
  if (causalOffset !== undefined && causalOffset < 0) {
    throw new RangeError(
      `Cannot attend causally: there must be at least as many keys as queries: ${period} queries, ${keys} keys, so query 0 sees no key`,
    );
  }
  if (!logWeights) return;
  for (let head = 0; head < heads; head++) {
    const first = logWeights.subarray(head * keys, (head + 1) * keys).indexOf(0);
    if (first === -1) {
      throw new RangeError(
        `Cannot attend: keyMask must leave at least one key: head ${head} has none: 0 hides a key, 1 keeps it`,
      );
    }
    if (causalOffset !== undefined && first > causalOffset) {
      throw new RangeError(
        `Cannot attend causally: query 0 sees keys up to ${causalOffset}, but the first that keyMask leaves in head ${head} is ${first}`,
      );
    }
  }
}

/** Leading dimensions: equal but for the last one, where query heads may be a multiple of key heads. */
function matchHeads(
  query: readonly number[],
  key: readonly number[],
  value: readonly number[],
): { heads: number; group: number } {
  const leading = (shape: readonly number[]) => shape.slice(0, -2);
  const ofQuery = leading(query), ofKey = leading(key);
  if (String(ofKey) !== String(leading(value))) {
    throw new TypeError(
      `Cannot attend: key and value must have the same leading dimensions: key is ${
        formatShape(key)
      }, value is ${formatShape(value)}`,
    );
  }
  const last = ofQuery.length - 1;
  const fits = ofQuery.length === ofKey.length &&
    ofQuery.every((extent, axis) => axis === last ? extent % ofKey[axis] === 0 : extent === ofKey[axis]);
  if (!fits) {
    throw new TypeError(
      `Cannot attend: query heads must be key heads or a multiple of them: query is ${
        formatShape(query)
      }, key is ${formatShape(key)}`,
    );
  }
  const heads = sizeOf(ofKey);
  return { heads, group: sizeOf(ofQuery) / heads };
}
