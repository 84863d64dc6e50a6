// deno-fmt-ignore-file: AssemblyScript
import * as layout from "../engine/layout";
import { addToWord, loadWord, sleepWhile, wakeAll } from "./shared";
import { runTask } from "./task.generated";

@external("host", "now")
declare function now(): f64;

/**
 * How often a thread looks again before it sleeps: about 0.2 ms, longer than the operations that one thread does
 * alone. Waking a sleeper can take longer than that on a virtual machine.
 */
const SPINS: u32 = 100000;
/** How often an idle worker looks for the next program: about 1 ms, from the first upload to the run. */
const IDLE_SPINS: u32 = 500000;
/** Longest sleep at a barrier, so that an abort is noticed even if nobody wakes the sleeper. */
const NAP_NANOSECONDS: i64 = 1000000;

/**
 * The main thread's share of the program, until all is done or the clock has passed `deadline`. A browser's
 * main thread may not sleep (`maySleep` 0): it gets WAITING instead and comes back later.
 */
export function work(deadline: f64, maySleep: i32): i32 {
  const answer = walk(0, deadline, maySleep);
  if (answer !== layout.DONE) return answer;
  return waitFor(load<u32>(layout.OPERATIONS), deadline, maySleep);
}

/** A worker's life: takes part in one program after the other until it is told to stop. */
export function serve(thread: u32): void {
  let generation: u32 = 0;
  for (;;) {
    for (let spin: u32 = 0; spin < IDLE_SPINS && loadWord(layout.GENERATION) === generation; ++spin);
    while (loadWord(layout.GENERATION) === generation) sleepWhile(layout.GENERATION, generation, -1);
    if (loadWord(layout.STOPPED)) return;
    generation = loadWord(layout.GENERATION);
    // Joining before looking whether the program is open: its end waits for those who joined.
    addToWord(layout.JOINED, 1);
    if (loadWord(layout.OPEN)) walk(thread, Infinity, 1);
    addToWord(layout.JOINED, -1);
  }
}

/** Takes tasks of one operation after the other; an operation starts when those it needs are finished. */
function walk(thread: u32, deadline: f64, maySleep: i32): i32 {
  const scratch = load<u32>(layout.SCRATCH) + thread * load<u32>(layout.SCRATCH_BYTES);
  let operation: usize = load<u32>(layout.PROGRAM);
  const end = operation + <usize>load<u32>(layout.OPERATIONS) * layout.OPERATION_BYTES;
  for (; operation < end; operation += layout.OPERATION_BYTES) {
    const tasks = load<u32>(operation, layout.TASKS);
    if (loadWord(operation + layout.CLAIMED) >= tasks) continue;
    const answer = waitFor(load<u32>(operation, layout.NEEDED), deadline, maySleep);
    if (answer !== layout.DONE) return answer;
    while (!loadWord(layout.ABORTED)) {
      const task = addToWord(operation + layout.CLAIMED, 1);
      if (task >= tasks) break;
      runTask(operation, task, scratch);
      if (addToWord(operation + layout.FINISHED, 1) + 1 === tasks) {
        addToWord(layout.COMPLETED, 1);
        if (loadWord(layout.SLEEPERS)) wakeAll(layout.COMPLETED);
      }
      if (deadline < Infinity && now() >= deadline) return layout.SLICE_OVER;
    }
  }
  return layout.DONE;
}

/** Waits until `needed` operations are finished. */
function waitFor(needed: u32, deadline: f64, maySleep: i32): i32 {
  let spin: u32 = 0, completed = loadWord(layout.COMPLETED);
  while (completed < needed && !loadWord(layout.ABORTED)) {
    if (++spin >= SPINS) {
      if (!maySleep) return layout.WAITING;
      addToWord(layout.SLEEPERS, 1);
      sleepWhile(layout.COMPLETED, completed, NAP_NANOSECONDS);
      addToWord(layout.SLEEPERS, -1);
      if (deadline < Infinity && now() >= deadline) return layout.SLICE_OVER;
    }
    completed = loadWord(layout.COMPLETED);
  }
  return layout.DONE;
}
