import { type AttendArguments, type Backend, type DeviceArray, EMPTY } from "../../kernels/backend.ts";
import type { ListSums } from "../../kernels/tree_primitives.ts";

/** Some keys of a head, and what stands for them in the list of a cluster of queries. */
export interface ListEntry {
  /** Which keys, as the primitives were given them. */
  readonly keys: Uint32Array;
  /** Their weights from the centre, of which those of a list sum to 1. */
  readonly weights: Float64Array;
  /** [features] and [valueFeatures] */
  readonly key: Float32Array;
  readonly value: Float32Array;
  /** What is added to ⟨query, key⟩ times the scale; −Infinity for nothing. */
  readonly logWeight: number;
  /** t/2: half the variance of the rows of the tree under the weights. */
  readonly halfVariance: number;
  /** Largest ‖row‖. */
  readonly rowLength: number;
}

/** The list of one cluster of queries, as it came about while a method ran. */
export interface WatchedList {
  readonly head: number;
  /** Queries of the cluster, as attention to lists was given them. */
  readonly queries: Uint32Array;
  /** Its centre times the scale. */
  readonly centre: Float32Array;
  /** Logarithm of the mass of all that the centre sees; −Infinity where it sees nothing. */
  readonly logMass: number;
  /** Keys that the centre sees: those before this one. */
  readonly end: number;
  readonly entries: readonly ListEntry[];
  /** Whether its length is what was said of it, and its queries attend to it from its first entry to its last. */
  readonly whole: boolean;
}

/** A backend that is watched, and the lists of the trees that were made on it. */
export interface WatchedBackend {
  readonly backend: Backend;
  readonly lists: readonly WatchedList[];
}

type Sum = Parameters<Backend["sumLists"]>[0];

/** What there is to read when a tree has been attended to. */
interface Recorded {
  readonly args: Sum;
  readonly sums: ListSums;
  readonly lengths: DeviceArray;
  readonly ends?: DeviceArray;
  attend?: AttendArguments;
}

/** Watches the primitives that make lists and attend to them. What is recorded for one run is read with it. */
export function watchLists(backend: Backend): WatchedBackend {
  const lists: WatchedList[] = [], lengths = new Map<DeviceArray, DeviceArray>();
  const ends = new Map<DeviceArray, DeviceArray | undefined>();
  let recorded: Recorded[] = [];
  const watched: Partial<Backend> = {
    tiltKeys(args) {
      const tilted = backend.tiltKeys(args);
      ends.set(tilted.weights, args.ends);
      return tilted;
    },
    openLists(args) {
      const opened = backend.openLists(args);
      lengths.set(opened.threshold, opened.lengths);
      return opened;
    },
    sumLists(args) {
      const sums = backend.sumLists(args);
      const own = { lengths: lengths.get(args.threshold)!, ends: ends.get(args.tilted.weights) };
      recorded.push({ args, sums, ...own });
      return sums;
    },
    attend(args) {
      const own = recorded.find(({ sums }) => sums.key === args.key);
      if (own) own.attend = args;
      return backend.attend(args);
    },
    async run(outputs, signal) {
      const now = recorded.filter(({ attend }) => attend);
      recorded = recorded.filter(({ attend }) => !attend);
      const wanted = now.map(arraysOf);
      const read = await backend.run([...outputs, ...wanted.flatMap(Object.values)], signal);
      let at = outputs.length;
      now.forEach((one, which) => {
        const names = Object.keys(wanted[which]);
        const own = Object.fromEntries(names.map((name) => [name, read[at++]])) as Read;
        lists.push(...listsOf(one, own));
      });
      return read.slice(0, outputs.length);
    },
  };
  const proxy = new Proxy(backend, {
    get: (target, name) => {
      const own = Reflect.get(watched, name) ?? Reflect.get(target, name);
      return typeof own === "function" ? own.bind(target) : own;
    },
  });
  return { backend: proxy, lists };
}

function arraysOf({ args, sums, lengths, ends, attend }: Recorded) {
  const { tree, tilted, threshold, first, centre } = args;
  const always = {
    order: tree.order,
    rows: tree.rows,
    ...tilted,
    ...sums,
    threshold,
    first,
    centre,
    lengths,
  };
  const positions = attend!.bounds!.positions, { queryOrder } = attend!;
  return { ...always, positions, ...ends && { ends }, ...queryOrder && { queryOrder } };
}

type Words = "order" | "first" | "lengths" | "positions" | "ends" | "queryOrder";
type Read =
  & { readonly [Name in Exclude<keyof ReturnType<typeof arraysOf>, Words>]: Float32Array }
  & { readonly [Name in Exclude<Words, "ends" | "queryOrder">]: Uint32Array }
  & { readonly ends?: Uint32Array; readonly queryOrder?: Uint32Array };

function listsOf({ args: { heads, centres }, args, attend }: Recorded, read: Read): WatchedList[] {
  const blocks = attend!.blocks!, queries = attend!.queries;
  return Array.from({ length: heads * centres }, (_, at) => {
    const head = Math.floor(at / centres), first = read.first[at], end = first + read.lengths[at];
    const entries = entriesOf(args, read, at), rows: number[] = [];
    for (let block = head * blocks; block < (head + 1) * blocks; block++) {
      const [from, to, firstEntry, lastEntry] = read.positions.subarray(4 * block, 4 * block + 4);
      if (firstEntry !== first || lastEntry !== end) continue;
      for (let p = from; p < to; p++) rows.push(read.queryOrder ? read.queryOrder[head * queries + p] : p);
    }
    const width = args.features;
    return {
      head,
      queries: Uint32Array.from(rows),
      centre: read.centre.subarray(at * width, (at + 1) * width),
      logMass: finiteOr(read.logMass[at]),
      end: read.ends?.[at] ?? args.count,
      entries,
      whole: entries.length === read.lengths[at],
    };
  });
}

function entriesOf(args: Sum, read: Read, at: number): ListEntry[] {
  const { centres, count, width, features, valueFeatures, most } = args, entries: ListEntry[] = [];
  const head = Math.floor(at / centres), entry = head * most + read.first[at];
  const opened = (j: number) => read.gains[at * count + j] >= read.threshold[head];
  for (let begin = 0, end = 1; begin < count; begin = end++) {
    while (end < count && !opened(end)) end++;
    const own = entry + entries.length, rows = read.rows.subarray((head * count + begin) * width);
    const weights = Float64Array.from(read.weights.subarray(at * count + begin, at * count + end));
    entries.push({
      keys: read.order.subarray(head * count + begin, head * count + end),
      weights,
      key: read.key.subarray(own * features, (own + 1) * features),
      value: read.value.subarray(own * valueFeatures, (own + 1) * valueFeatures),
      logWeight: finiteOr(read.logWeight[own]),
      ...spreadOf(rows, weights, width),
    });
  }
  return entries;
}

/** EMPTY stands for minus infinity. */
function finiteOr(logarithm: number): number {
  return logarithm === Math.fround(EMPTY) ? -Infinity : logarithm;
}

/** Half the variance of rows under weights, and how long they are, those without weight apart. */
function spreadOf(rows: Float32Array, weights: Float64Array, width: number) {
  const mass = weights.reduce((a, b) => a + b, 0);
  let halfVariance = 0, longest = 0;
  for (let c = 0; c < width && mass > 0; c++) {
    let mean = 0;
    weights.forEach((w, j) => mean += w / mass * rows[j * width + c]);
    weights.forEach((w, j) => halfVariance += w / mass * (rows[j * width + c] - mean) ** 2 / 2);
  }
  weights.forEach((w, j) => {
    if (w > 0) longest = Math.max(longest, Math.hypot(...rows.subarray(j * width, (j + 1) * width)));
  });
  return { halfVariance, rowLength: longest };
}
