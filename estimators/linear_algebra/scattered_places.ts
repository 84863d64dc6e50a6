const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * Distinct places below `count`, ascending, one in each of `wanted` equal parts, at an irregular place within it, the same at every call: even spacing would always meet the
 * same columns of an image or the same words of a refrain.
 */
export function scatteredPlaces(count: number, wanted: number): Uint32Array {
  const taken = Math.min(count, wanted);
  return Uint32Array.from({ length: taken }, (_, at) => {
    const first = Math.floor(at * count / taken), after = Math.floor((at + 1) * count / taken);
    return first + Math.floor((at * GOLDEN % 1) * (after - first));
  });
}
