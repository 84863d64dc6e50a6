/** Thrown when a device stopped working during a computation; the inputs are untouched. */
export class DeviceLostError extends Error {
  /** The class's name. */
  override readonly name = "DeviceLostError";
}

/** Thrown when a device cannot be opened, or computes wrongly in its self test. */
export class DeviceUnavailableError extends Error {
  /** The class's name. */
  override readonly name = "DeviceUnavailableError";
}

/** A device that is just not there, or not of the kind looked for: passed over without a word. */
export class DeviceAbsentError extends DeviceUnavailableError {}
