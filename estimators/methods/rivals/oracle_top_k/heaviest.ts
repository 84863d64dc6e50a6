/**
 * Places of the `most` largest numbers, in no order; of equal ones the first (Hoare's selection, 1961, on a bound, then one pass).
 *
 * @param most At most as many as there are.
 */
export function heaviest(numbers: Float32Array | Float64Array, most: number): Uint32Array {
  const places = new Uint32Array(most);
  if (most === 0) return places;
  const bound = kthLargest(numbers.slice(), most);
  let at = 0, equal = 0;
  for (const x of numbers) if (x > bound) equal++;
  // What equals the bound fills what is left.
  let spare = most - equal;
  for (let j = 0; j < numbers.length; j++) {
    if (numbers[j] > bound || numbers[j] === bound && spare-- > 0) places[at++] = j;
  }
  return places;
}

/** The k-th largest of numbers, k from 1 on; leaves them in another order. */
function kthLargest(numbers: Float32Array | Float64Array, k: number): number {
  let low = 0, high = numbers.length - 1;
  const wanted = numbers.length - k;
  while (low < high) {
    const pivot = numbers[(low + high) >>> 1];
    let left = low, right = high;
    while (left <= right) {
      while (numbers[left] < pivot) left++;
      while (numbers[right] > pivot) right--;
      if (left > right) break;
      const moved = numbers[left];
      numbers[left++] = numbers[right];
      numbers[right--] = moved;
    }
    if (wanted <= right) high = right;
    else if (wanted >= left) low = left;
    else break;
  }
  return numbers[wanted];
}
