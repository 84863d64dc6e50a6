/**
 * Lets other work and the signal's event have their turn.
 *
 * @throws The signal's reason if it is aborted.
 */
export async function nextTurn(signal?: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
  signal?.throwIfAborted();
}
