/**
 * Purposes of the random streams of certificates, far from those of all methods (`kernels/random.ts`): a check is sound
 * only if what it draws is independent of the method and of earlier checks. Round r draws from `rows + r`.
 */
export const CheckPurpose = { probes: 0x10000, rows: 0x10001 } as const;

/** A seed in [0, 2^53) that nobody knows beforehand. */
export function freshSeed(): number {
  const [low, high] = crypto.getRandomValues(new Uint32Array(2));
  return (high & 0x1fffff) * 2 ** 32 + low;
}
