import type { Backend, DeviceArray } from "../../../kernels/backend.ts";
import { scatteredPlaces } from "../../linear_algebra/scattered_places.ts";

/** Enough rows to place a centre: the mean of 512 strays from that of all by a twentieth of the rows' spread. */
const MOST_ROWS = 512;

/**
 * About the mean of the rows of each head, [heads, width]: that of at most 512 rows. For centres that
 * only steer where work goes, such as that of the angular hash; it moves with the rows as the mean does.
 */
export function sampledMean(
  backend: Backend,
  { rows, heads, count, width }: Parameters<Backend["columnMean"]>[0],
): DeviceArray {
  if (count <= MOST_ROWS) return backend.columnMean({ rows, heads, count, width });
  const places = scatteredPlaces(count, MOST_ROWS), index = new Uint32Array(heads * MOST_ROWS);
  for (let head = 0; head < heads; head++) index.set(places, head * MOST_ROWS);
  const picked = backend.gatherRows({
    rows,
    index: backend.upload(index),
    heads,
    count,
    width,
    picks: MOST_ROWS,
  });
  return backend.columnMean({ rows: picked, heads, count: MOST_ROWS, width });
}
