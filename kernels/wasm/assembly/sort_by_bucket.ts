// deno-fmt-ignore-file: AssemblyScript
/** Bits of a rank that one counting pass looks at: 16 kB of counters stay in the first-level cache. */
const DIGIT_BITS: u32 = 12;
const DIGITS: u32 = 1 << DIGIT_BITS;

@unmanaged
class SortArguments {
  ranks: usize;
  order: usize;
  position: usize;
  /** [heads, DIGITS + count] words. */
  scratch: usize;
  heads: u32;
  count: u32;
  buckets: u32;
}

/** Stable counting sort of one head; ranks of more than 12 bits take a second pass over the high digit. */
export function sortByBucketTask(operation: usize, head: u32): void {
  const args = changetype<SortArguments>(operation);
  const count = args.count, bytes = <usize>count << 2;
  const ranks = args.ranks + head * bytes, order = args.order + head * bytes;
  const counters = args.scratch + head * ((<usize>DIGITS << 2) + bytes),
    lowOrder = counters + (<usize>DIGITS << 2);
  if (args.buckets <= DIGITS) {
    countingPass(ranks, 0, order, counters, count, 0, args.buckets);
  } else {
    countingPass(ranks, 0, lowOrder, counters, count, 0, DIGITS);
    countingPass(ranks, lowOrder, order, counters, count, DIGIT_BITS, DIGITS);
  }
  const position = args.position + head * bytes;
  for (let p: u32 = 0; p < count; ++p) {
    store<u32>(position + (<usize>load<u32>(order + (<usize>p << 2)) << 2), p);
  }
}

/** Sorts the rows listed in `from` (all in order where it is 0) by one digit of their rank into `to`. */
function countingPass(
  ranks: usize,
  from: usize,
  to: usize,
  counters: usize,
  count: u32,
  shift: u32,
  digits: u32,
): void {
  memory.fill(counters, 0, <usize>digits << 2);
  for (let i: u32 = 0; i < count; ++i) {
    const counter = counters + (<usize>((load<u32>(ranks + (<usize>i << 2)) >> shift) & (DIGITS - 1)) << 2);
    store<u32>(counter, load<u32>(counter) + 1);
  }
  let before: u32 = 0;
  for (let digit: u32 = 0; digit < digits; ++digit) {
    const counter = counters + (<usize>digit << 2), here = load<u32>(counter);
    store<u32>(counter, before);
    before += here;
  }
  for (let i: u32 = 0; i < count; ++i) {
    const row = from ? load<u32>(from + (<usize>i << 2)) : i;
    const counter = counters +
      (<usize>((load<u32>(ranks + (<usize>row << 2)) >> shift) & (DIGITS - 1)) << 2);
    const place = load<u32>(counter);
    store<u32>(counter, place + 1);
    store<u32>(to + (<usize>place << 2), row);
  }
}
