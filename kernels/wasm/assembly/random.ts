// deno-fmt-ignore-file: AssemblyScript
/** Twin of `kernels/random.ts`: word 0 of the Philox4x32-10 block at counter (index, stream, purpose, 0). */
export function randomWord(seedLow: u32, seedHigh: u32, purpose: u32, stream: u32, index: u32): u32 {
  let c0 = index, c1 = stream, c2 = purpose, c3: u32 = 0;
  for (let round = 0; round < 10; ++round) {
    const product0 = <u64>0xd2511f53 * <u64>c0, product1 = <u64>0xcd9e8d57 * <u64>c2;
    c0 = multiplyHighWord(product1) ^ c1 ^ seedLow;
    c1 = <u32>product1;
    c2 = multiplyHighWord(product0) ^ c3 ^ seedHigh;
    c3 = <u32>product0;
    seedLow += 0x9e3779b9;
    seedHigh += 0xbb67ae85;
  }
  return c0;
}

/** High 32 bits of the 64-bit product of two words. */
export function multiplyHigh(a: u32, b: u32): u32 {
  return multiplyHighWord(<u64>a * <u64>b);
}

@inline
function multiplyHighWord(product: u64): u32 {
  return <u32>(product >> 32);
}
