import type { Arguments } from "../primitives.ts";
import { type RowTree, TREE_BUNDLE, TREE_SAMPLE } from "../tree_primitives.ts";
import { floats, floatValues, words } from "./array.ts";
import { membersOfParts } from "./member_of_part.ts";
import type { Steps } from "./steps.ts";

/** Steps of two means. */
const STEPS = 3;

/** A node, and where the number of its cut is to be written. */
interface Node {
  readonly begin: number;
  readonly end: number;
  readonly link: number;
}

/** A binary tree over the rows of each head. */
export function* growTree({ rows, heads, count, width }: Arguments<"growTree">): Steps<RowTree> {
  const order = new Uint32Array(heads * count), cuts = new Uint32Array(4 * heads * count);
  const ordered = new Float64Array(heads * count * width);
  yield { order: words(order), rows: floats(ordered), cuts: words(cuts) };
  const all = floatValues(rows);
  for (let head = 0; head < heads; head++) {
    const own = all.subarray(head * count * width, (head + 1) * count * width);
    const places = order.subarray(head * count, (head + 1) * count).map((_, at) => at);
    const cutsOfHead = cuts.subarray(4 * head * count, 4 * (head + 1) * count);
    cutsOfHead.set([0, count]);
    const todo: Node[] = [{ begin: 0, end: count, link: 2 }];
    for (let node = todo.pop(); node; node = todo.pop()) {
      const { begin, end, link } = node;
      if (end - begin < 2) continue;
      const members = places.slice(begin, end);
      const near = end - begin > TREE_BUNDLE ? nearSide(own, members, width) : [];
      const at = begin + near.reduce((sum, is) => sum + Number(is), 0);
      const cut = at === begin || at === end ? begin + (end - begin >> 1) : at;
      if (cut === at) {
        places.set(members.filter((_, i) => near[i]), begin);
        places.set(members.filter((_, i) => !near[i]), at);
      }
      cutsOfHead[link] = cut;
      cutsOfHead.set([begin, end], 4 * cut);
      todo.push({ begin, end: cut, link: 4 * cut + 2 }, { begin: cut, end, link: 4 * cut + 3 });
      yield;
    }
    order.set(places, head * count);
    places.forEach((row, at) =>
      ordered.set(own.subarray(row * width, (row + 1) * width), (head * count + at) * width)
    );
  }
}

/** Of each member, whether it lies on the near side. */
function nearSide(rows: Float64Array, members: Uint32Array, width: number): boolean[] {
  const rowOf = (member: number) => rows.subarray(member * width, (member + 1) * width);
  const sample = Array.from(membersOfParts(members.length, TREE_SAMPLE), (at) => rowOf(members[at]));
  const first = farthest(sample, sample[0]);
  let plane = planeBetween(first, farthest(sample, first));
  for (let step = 0; step < STEPS; step++) {
    const near = sample.filter((row) => dot(row, plane.normal) <= plane.middle);
    const far = sample.filter((row) => dot(row, plane.normal) > plane.middle);
    if (near.length === 0 || far.length === 0) break;
    plane = planeBetween(meanOf(near), meanOf(far));
  }
  const products = sample.map((row) => dot(row, plane.normal)).toSorted((a, b) => a - b);
  const least = Math.ceil(sample.length / 8);
  const lowest = products[least - 1], highest = products[sample.length - least - 1] ?? lowest;
  const limit = Math.min(Math.max(plane.middle, lowest), Math.max(highest, lowest));
  return Array.from(members, (member) => dot(rowOf(member), plane.normal) <= limit);
}

function planeBetween(near: Float64Array, far: Float64Array): { normal: Float64Array; middle: number } {
  const normal = far.map((x, c) => x - near[c]), sum = far.map((x, c) => x + near[c]);
  return { normal, middle: dot(sum, normal) / 2 };
}

function farthest(sample: readonly Float64Array[], from: Float64Array): Float64Array {
  const distance = (row: Float64Array) => row.reduce((sum, x, c) => sum + (x - from[c]) ** 2, 0);
  return sample.reduce((best, row) => distance(row) > distance(best) ? row : best);
}

function meanOf(rows: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(rows[0].length);
  for (const row of rows) for (let c = 0; c < sum.length; c++) sum[c] += row[c];
  return sum.map((x) => x / rows.length);
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, x, c) => sum + x * b[c], 0);
}
