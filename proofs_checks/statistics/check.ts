/** @throws {RangeError} Unless the condition holds. */
export function check(action: string, condition: boolean, rule: string, value: unknown): void {
  if (!condition) throw new RangeError(`Cannot ${action}: ${rule}: current value is ${value}`);
}

/** @throws {RangeError} Unless the value is a probability strictly between 0 and 1. */
export function checkOpenUnit(action: string, name: string, value: number): void {
  check(action, value > 0 && value < 1, `${name} must be between 0 and 1`, value);
}

/** @throws {RangeError} Unless both are counts and no more events than trials. */
export function checkCounts(action: string, events: number, trials: number): void {
  check(
    action,
    Number.isSafeInteger(trials) && trials >= 0,
    "trials must be a non-negative integer",
    trials,
  );
  check(
    action,
    Number.isSafeInteger(events) && events >= 0 && events <= trials,
    `events must be an integer from 0 to trials, ${trials}`,
    events,
  );
}
