const MOST_WARM_UPS = 200;

/**
 * Runs until the engine has compiled what is hot and results share memory with earlier ones; a short method needs many
 * runs.
 *
 * @param milliseconds After this long no other run is started.
 * @returns What the last run gave.
 */
export async function warmUp<T>(run: () => Promise<T>, milliseconds = 1000): Promise<T> {
  const start = performance.now();
  let result = await run();
  for (let at = 1; at < MOST_WARM_UPS && performance.now() - start < milliseconds; at++) result = await run();
  return result;
}

/**
 * Times several things in interleaved rounds, so that a machine that drifts slows all of them alike and their ratios
 * stay comparable. Every other round goes backwards: nothing always bears what the same one leaves behind.
 *
 * @param runs Each runs one thing, is given the round, and tells the seconds that it took.
 * @param onRound Called before every round.
 * @returns Seconds: [run][round]
 */
export async function timeInTurn(
  runs: readonly ((round: number) => Promise<number>)[],
  rounds: number,
  onRound?: (round: number) => void,
): Promise<number[][]> {
  const seconds: number[][] = runs.map(() => []);
  for (let round = 0; round < rounds; round++) {
    onRound?.(round);
    for (let at = 0; at < runs.length; at++) {
      const turn = round % 2 === 0 ? at : runs.length - 1 - at;
      seconds[turn].push(await runs[turn](round));
    }
  }
  return seconds;
}
