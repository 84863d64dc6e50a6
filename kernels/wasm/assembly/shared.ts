// deno-fmt-ignore-file: AssemblyScript
// Access to words that several threads write; plain loads and stores where the memory is not shared.

@inline
export function loadWord(at: usize): u32 {
  if (ASC_FEATURE_THREADS) return atomic.load<u32>(at);
  return load<u32>(at);
}

@inline
export function storeWord(at: usize, value: u32): void {
  if (ASC_FEATURE_THREADS) atomic.store<u32>(at, value);
  else store<u32>(at, value);
}

/** Adds to a word and returns what it was before. */
@inline
export function addToWord(at: usize, change: u32): u32 {
  if (ASC_FEATURE_THREADS) return atomic.add<u32>(at, change);
  const before = load<u32>(at);
  store<u32>(at, before + change);
  return before;
}

/** Sleeps while the word is `value`, at most `nanoseconds` (for ever if negative). */
@inline
export function sleepWhile(at: usize, value: u32, nanoseconds: i64): void {
  if (ASC_FEATURE_THREADS) atomic.wait<u32>(at, value, nanoseconds);
}

@inline
export function wakeAll(at: usize): void {
  if (ASC_FEATURE_THREADS) atomic.notify(at, -1);
}
