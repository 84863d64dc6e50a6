/**
 * Where things lie in the memory that all threads share, and the numbers of the operations. Written in the
 * common part of TypeScript and AssemblyScript, since the host and `assembly/` both import it.
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

/** Codes of the operations. */
export const ATTEND = 0;
export const PACK_KEYS = 1;
export const PROBE_LOGITS = 2;
export const PROBE_SOFTMAX = 3;
export const COLUMN_SUMS = 4;
export const COLUMN_MEAN = 5;
export const CENTRE_ROWS = 6;
export const GATHER_ROWS = 7;
export const ANGULAR_HASH = 8;
export const SORT_BY_BUCKET = 9;
export const VALUE_SIZES = 10;
export const KEY_SIZES = 11;
export const KEY_IMPORTANCE = 12;
export const SAMPLE_KEYS = 13;
export const MERGE_ATTENTION = 14;
export const INNER_PRODUCTS = 15;
export const GATHERED_DISTANCES = 16;
export const BISECT_ROWS = 17;
export const TRANSPOSE_PROBES = 18;
export const FIT_POINTS = 19;
export const PROBE_PARTS = 20;
export const PROBE_OUTPUT = 21;
export const CALIBRATE_ROWS = 22;
export const CALIBRATE_SCALE = 23;
export const CALIBRATE_GRAM = 24;
export const CALIBRATE_SOLVE = 25;
export const CALIBRATE_CORRECT = 26;
export const CALIBRATE_JUDGE = 27;
export const DESCEND_ROWS = 28;
export const STRAYS = 29;
export const SLOPE = 30;
export const ADD_LINEAR = 31;
export const WEIGH_SLOPE = 32;
export const PAIR_BUCKETS = 33;
export const FIT_CENTRE = 34;
export const SKETCH_ROWS = 35;

/** What `work` answers. */
export const DONE = 0;
export const SLICE_OVER = 1;
export const WAITING = 2;

/** Query rows that one micro-kernel holds in registers, and keys (or value columns) beside them. */
export const GROUP_ROWS = 6;
export const PANEL = 8;
/** Keys of one tile of logits: its logits, keys and values stay in the first two caches. */
export const TILE_KEYS = 128;
/** Keys that one task of PACK_KEYS, PROBE_LOGITS or PROBE_PARTS takes; a multiple of PANEL. */
export const CHUNK_KEYS = 128;
/** Rows that one task of the row operations takes. */
export const CHUNK_ROWS = 128;
/** Rows that descend a tree together: enough that lists for its leaves are worth keeping. */
export const DESCENT_ROWS = 512;
/** Rows summed in f32 before COLUMN_MEAN goes on in f64: short, so that rounding does not pile up. */
export const SUM_ROWS = 64;
/** Rows that one task of ANGULAR_HASH takes; a multiple of GROUP_ROWS. */
export const HASH_ROWS = 96;
/** Features that one task of SLOPE takes; a multiple of 4. */
export const SLOPE_FEATURES = 8;
/** Rows of a Gram matrix that one task of CALIBRATE_GRAM takes; even. */
export const BAND_ROWS = 8;
/** Points that one task of CALIBRATE_CORRECT takes. */
export const CHUNK_POINTS = 16;
