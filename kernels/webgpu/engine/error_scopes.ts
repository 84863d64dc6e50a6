/** What a call gave, and what the device says of it later: an error, or null. */
export interface Scoped<T> {
  readonly value: T;
  readonly check: Promise<GPUError | null>;
}

/** Makes calls of a device whose errors are to be laid to nobody else. They must not wait for anything. */
export function inScopes<T>(device: GPUDevice, calls: () => T): Scoped<T> {
  device.pushErrorScope("validation");
  device.pushErrorScope("out-of-memory");
  let scopes: Promise<GPUError | null>[] = [], value: T;
  try {
    value = calls();
  } finally {
    scopes = [device.popErrorScope(), device.popErrorScope()];
    // A lost device rejects them, which is reported elsewhere.
    for (const scope of scopes) scope.catch(() => {});
  }
  return { value, check: firstError(scopes) };
}

/** The first error that scopes have caught, or null. */
export async function firstError(scopes: readonly Promise<GPUError | null>[]): Promise<GPUError | null> {
  return (await Promise.all(scopes)).find(Boolean) ?? null;
}

/** What a device that refused something did, in words. */
export function refusal(error: GPUError): Error {
  // Not every implementation has the classes of errors as globals.
  return error.constructor.name === "GPUOutOfMemoryError"
    ? new RangeError(`Cannot run: the device has too little memory for this call: ${error.message}`)
    : new Error(`The device refused the work: ${error.message}`);
}
