/**
 * Where things lie in the memory that all threads share. Written in the common part of TypeScript and AssemblyScript, since
 * the host and `assembly/` both import it.
 */

/** Bytes below this address are the control block; the static data and the arena follow. */
export const CONTROL_BYTES = 1024;
/** First byte of the arena; the module keeps a few constants below it. */
export const ARENA_START = 4096;

// Each word that several threads write has a cache line of its own.
/** Counts programs; idle workers wait for it to change. */
export const GENERATION = 64;
/** 1 while a program may be joined. */
export const OPEN = 128;
/** Number of workers inside the program. */
export const JOINED = 192;
/** Number of finished operations. */
export const COMPLETED = 256;
/** Number of threads that sleep until COMPLETED changes. */
export const SLEEPERS = 320;
/** 1 when the program shall be left. */
export const ABORTED = 384;
/** 1 when the workers shall end. */
export const STOPPED = 448;
/** Address of the first operation. */
export const PROGRAM = 512;
/** Number of operations. */
export const OPERATIONS = 516;
/** Address of the scratch memory of thread 0. */
export const SCRATCH = 520;
/** Scratch bytes of one thread. */
export const SCRATCH_BYTES = 524;

/** Bytes of one operation: a cache line of counters, then the arguments. */
export const OPERATION_BYTES = 256;
/** Offsets in an operation. */
export const CODE = 0;
export const TASKS = 4;
/** Operations that must be finished before this one starts: it and its equals follow them in the program. */
export const NEEDED = 8;
export const CLAIMED = 16;
export const FINISHED = 20;
export const ARGUMENTS = 64;

/** What `work` answers. */
export const DONE = 0;
export const SLICE_OVER = 1;
export const WAITING = 2;

/** Query rows that one micro-kernel holds in registers, and keys (or value columns) beside them. */
export const GROUP_ROWS = 5;
export const PANEL = 8;
/** Keys of one tile of logits: its logits, keys and values stay in the first two caches. */
export const TILE_KEYS = 128;
/** Tiles whose sums are added in f32 before they are added to f64 sums: few, so that rounding does not grow with all keys. */
export const STRETCH_TILES = 16;
/** Features whose products are summed in one chain, and chains are added: half as long, they err by a third less. */
export const CHAIN_FEATURES = 32;
/** Centres that go through a tree together, a lane each. */
export const LANE_CENTRES = 4;
/** Queries that look at groups of keys together, so that means of these are loaded once for all of them. */
export const LOOKS_TOGETHER = 4;
/** Keys that one task of PACK_KEYS, PROBE_LOGITS or PROBE_PARTS takes; a multiple of PANEL. */
export const CHUNK_KEYS = 128;
/** Rows that one task of the row operations takes. */
export const CHUNK_ROWS = 128;
/** Rows that descend a tree together: enough that lists for its leaves are worth keeping. */
export const DESCENT_ROWS = 512;
/** Rows summed in f32 before COLUMN_MEAN goes on in f64: short, so that rounding does not pile up. */
export const SUM_ROWS = 64;
/** Rows that one task of ANGULAR_HASH takes; a multiple of GROUP_ROWS. */
export const HASH_ROWS = 100;
/** Features that one task of SLOPE takes; a multiple of 4. */
export const SLOPE_FEATURES = 8;
/** Rows of a Gram matrix that one task of CALIBRATE_GRAM takes; even. */
export const BAND_ROWS = 8;
/** Points that one task of CALIBRATE_CORRECT takes. */
export const CHUNK_POINTS = 16;
/** Nodes of a tree that tasks of their own go on to cut. */
export const SUBTREES = 32;
/** Steps of gains that are counted apart: numbers below 2^127 by their first 16 bits, and all others. */
export const GAIN_STEPS = 32513;
