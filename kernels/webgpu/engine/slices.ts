import { hardwareThreads } from "../../runtime.ts";

/** Multiply-adds that a core which stands in for a GPU takes some 20 ms for. */
export const CORE_WORK: number = 2 ** 25;
/** Dispatches of unknown work that are submitted together. */
const MOST_STEPS = 64;

/** What slicing has to know of a dispatch. */
export interface Sliceable {
  /** Kernels that can be run in parts have one called `firstWorkgroup`. */
  readonly parameters: Readonly<Record<string, number>>;
  readonly workgroups: number;
  /** About how many multiply-adds it takes; left out where that is little. */
  readonly work?: number;
}

/**
 * Whether waiting for a device holds up the event loop: Deno's WebGPU waits within the call that asks for a result. On an
 * adapter emulated on the CPU that may be seconds; the work is therefore submitted in slices there, each waited for.
 */
export function waitsWithinCalls(): boolean {
  return "Deno" in globalThis;
}

/** Cuts a dispatch into parts of about one slice each, which keep all cores busy; the results are the same bits. */
export function cutDispatch<S extends Sliceable>(step: S): S[] {
  const { parameters, workgroups, work = 0 } = step, cores = hardwareThreads();
  if (!("firstWorkgroup" in parameters) || work <= cores * CORE_WORK) return [step];
  const size = cores * Math.max(1, Math.round(CORE_WORK * workgroups / work)), parts: S[] = [];
  for (let first = 0; first < workgroups; first += size) {
    parts.push({
      ...step,
      parameters: { ...parameters, firstWorkgroup: first },
      workgroups: Math.min(size, workgroups - first),
      work: work * size / workgroups,
    });
  }
  return parts;
}

/** Groups dispatches, in their order, into slices. */
export function sliced<S extends Pick<Sliceable, "work">>(steps: readonly S[]): S[][] {
  const most = hardwareThreads() * CORE_WORK, slices: S[][] = [];
  let slice: S[] = [], sum = 0;
  for (const step of steps) {
    const { work = 0 } = step;
    if (slice.length > 0 && (slice.length === MOST_STEPS || sum + work > most)) {
      slices.push(slice);
      [slice, sum] = [[], 0];
    }
    slice.push(step);
    sum += work;
  }
  slices.push(slice);
  return slices;
}
