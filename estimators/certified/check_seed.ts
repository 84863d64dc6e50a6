/** A seed in [0, 2^53) that nobody knows beforehand. */
export function freshSeed(): number {
  const [low, high] = crypto.getRandomValues(new Uint32Array(2));
  return (high & 0x1fffff) * 2 ** 32 + low;
}
