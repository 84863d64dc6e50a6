import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { Backend } from "../../kernels/backend.ts";
import { membersOfParts } from "../../kernels/reference/member_of_part.ts";
import { TREE_SAMPLE } from "../../kernels/tree_primitives.ts";
import { onEachBackend } from "../backends.ts";
import { besideReference } from "../beside_reference.ts";
import { normals, wordsBelow } from "../data.ts";

interface Shape {
  readonly heads: number;
  readonly count: number;
  readonly width: number;
}

const record = (rows: Float32Array, shape: Shape) => (on: Backend) => {
  const tree = on.growTree({ ...shape, rows: on.upload(rows) });
  return [tree.order, tree.cuts, tree.rows];
};

/** What must hold of the tree of one head, whatever its rows; gives the largest number of cuts above a row. */
function checkTree(order: Uint32Array, cuts: Uint32Array): number {
  const count = order.length;
  assertEquals([...order].sort((a, b) => a - b), [...Array(count).keys()]);
  assertEquals([...cuts.subarray(0, 2), cuts[3]], [0, count, 0]);
  const met = new Set<number>(), todo = [{ begin: 0, end: count, cut: cuts[2], above: 0 }];
  let depth = 0;
  for (let node = todo.pop(); node; node = todo.pop()) {
    const { begin, end, cut, above } = node;
    depth = Math.max(depth, above);
    if (end - begin === 1) {
      assertEquals(cut, 0);
      continue;
    }
    assert(begin < cut && cut < end, `${begin} < ${cut} < ${end}`);
    assert(!met.has(cut), `${cut} cuts two nodes`);
    met.add(cut);
    const [first, last, left, right] = cuts.subarray(4 * cut, 4 * cut + 4);
    assertEquals([first, last], [begin, end]);
    todo.push({ begin, end: cut, cut: left, above: above + 1 }, {
      begin: cut,
      end,
      cut: right,
      above: above + 1,
    });
  }
  assertEquals(met.size, count - 1);
  return depth;
}

/** The trees of all heads, checked; gives the greatest depth. */
async function grow(backend: Backend, rows: Float32Array, shape: Shape): Promise<number> {
  const { heads, count, width } = shape;
  const [order, cuts, ordered] = await backend.run(record(rows, shape)(backend));
  backend.reset();
  let depth = 0;
  for (let head = 0; head < heads; head++) {
    const own = (order as Uint32Array).subarray(head * count, (head + 1) * count);
    depth = Math.max(
      depth,
      checkTree(own, (cuts as Uint32Array).subarray(4 * head * count, 4 * (head + 1) * count)),
    );
    own.forEach((row, at) => {
      const from = (head * count + row) * width, to = (head * count + at) * width;
      assertEquals(ordered.subarray(to, to + width), rows.subarray(from, from + width));
    });
  }
  return depth;
}

onEachBackend("growTree() gives the reference's tree", async (backend) => {
  for (
    const [heads, count, width] of [
      [1, 1, 1],
      [2, 2, 3],
      [3, 3, 4],
      [2, 64, 5],
      [3, 65, 1],
      [2, 129, 15],
      [2, 300, 64],
      [1, 1100, 33],
      [1, 130, 1030],
      [1, 4999, 16],
    ]
  ) {
    const shape = { heads, count, width }, rows = normals(1, heads * count * width);
    const { actual, expected } = await besideReference(backend, record(rows, shape));
    assertEquals(actual, expected, `${heads}, ${count}, ${width}`);
  }
});

onEachBackend("growTree() is balanced and complete on gaussian rows", async (backend) => {
  for (const [heads, count, width] of [[1, 1, 3], [2, 2, 1], [2, 77, 8], [1, 5000, 12]]) {
    const depth = await grow(backend, normals(2, heads * count * width), { heads, count, width });
    assertLessOrEqual(depth, 5 * Math.log2(count), `${heads}, ${count}, ${width}`);
  }
});

onEachBackend("growTree() gives the reference's tree of rows of which many are equal", async (backend) => {
  const heads = 2, width = 5;
  for (const count of [7, 90, 700]) {
    const shape = { heads, count, width }, points = normals(3, count * width);
    const of = (point: (row: number) => number) =>
      Float32Array.from({ length: heads * count * width }, (_, at) => {
        const row = Math.floor(at / width) % count;
        return points[point(row) * width + at % width];
      });
    const picked = wordsBelow(4, count, 4);
    for (const rows of [of(() => 0), of((row) => row % 2 === 0 ? 0 : row), of((row) => picked[row])]) {
      const { actual, expected } = await besideReference(backend, record(rows, shape));
      assertEquals(actual, expected, `${count}`);
      assertLessOrEqual(await grow(backend, rows, shape), 5 * Math.log2(count));
    }
  }
});

onEachBackend("growTree() cuts outliers off, and ends where a sample does not see them", async (backend) => {
  const heads = 1, count = 1500, width = 3, shape = { heads, count, width };
  // Each distance from 0 is many times the one before; and of the rows that no sample of the whole has, each lies elsewhere.
  const apart = Float32Array.from({ length: count * width }, (_, at) => {
    const row = Math.floor(at / width);
    return row % 30 === 7 && at % width === 1 ? 3 ** (row / 60) : 0;
  });
  const sample = new Set(membersOfParts(count, TREE_SAMPLE));
  const unseen = Float32Array.from({ length: count * width }, (_, at) => {
    const row = Math.floor(at / width);
    return sample.has(row) ? Math.sign(row % 4 - 1) : 1000 + row * (1 + at % width);
  });
  for (const rows of [apart, unseen, normals(5, count * width).map((x) => x ** 5)]) {
    await grow(backend, rows, shape);
  }
});

onEachBackend("growTree() tells rows apart that repeat, whatever the period", async (backend) => {
  const heads = 1, width = 6;
  for (const [count, period] of [[768, 3], [1024, 2], [1024, 4], [1280, 5]]) {
    for (const scatter of [0, 1]) {
      // A node of all rows looks at each so many-th of them, the period or a multiple of it.
      const noise = normals(8 + period, count * width, scatter);
      const rows = noise.map((x, at) => x + ((Math.floor(at / width) % period) === at % width ? 50 : 0));
      const [order] = await backend.run(record(rows, { heads, count, width })(backend)) as [Uint32Array];
      backend.reset();
      const seams = order.reduce((sum, row, at) => sum + Number(row % period !== order[at + 1] % period), 0);
      assertEquals(seams, period, `${count}, ${period}: each column, and the end`);
    }
  }
});

onEachBackend("growTree() gives the reference's tree of rows of all magnitudes", async (backend) => {
  const heads = 2, count = 500, width = 7, shape = { heads, count, width };
  const magnitudes = normals(6, heads * count, 4);
  // Small rows lie on one side of nearly every cut, where an eighth of them is left: differences from far off would lose them.
  const rows = normals(7, heads * count * width).map((x, at) =>
    x * Math.exp(magnitudes[Math.floor(at / width)])
  );
  const { actual, expected } = await besideReference(backend, record(rows, shape));
  assertEquals(actual, expected);
  await grow(backend, rows, shape);
});
