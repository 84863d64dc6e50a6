/** WGSL of the same functions twice: for every device, and for devices whose lanes exchange values in subgroups. */
export interface TwinSource {
  readonly plain: string;
  readonly subgroups: string;
}

/** A WGSL module; what it takes stands in its text, see `interfaceOf`. */
export interface Kernel {
  /** Name of the WGSL file that holds the entry points, and behind it what sets apart kernels that share it. */
  readonly file: string;
  /** What that file builds on, and last its own text. */
  readonly source: readonly (string | TwinSource)[];
}
