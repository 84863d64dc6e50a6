import { deviceKinds } from "../../kernels/device_kinds.ts";
import { levels } from "../engine/levels.ts";
import { outcomes } from "../engine/outcome.ts";
import {
  REPORT_VERSION,
  VERIFICATION_SCHEMA,
  VERIFICATION_VERSION,
  type VerificationReport,
} from "../engine/report.ts";
import { SCALING_SCHEMA, type ScalingReport } from "../scaling/report.ts";
import {
  flag,
  integerFrom,
  listOf,
  nullable,
  number,
  numberFrom,
  object,
  oneOf,
  optional,
  text,
} from "./shape.ts";

/** A report that can be joined with others. */
export type AnyReport = VerificationReport | ScalingReport;

/** Versions of each form that are read. */
const VERSIONS: Readonly<Record<string, readonly number[]>> = {
  [VERIFICATION_SCHEMA]: [1, VERIFICATION_VERSION],
  [SCALING_SCHEMA]: [REPORT_VERSION],
};

/** A file: its name stands apart from the field. */
const FILE = { separator: ": " };
const devices = oneOf(deviceKinds);
const seconds = numberFrom(0, Number.MAX_VALUE), count = integerFrom(0), positive = integerFrom(1);
/** Infinite and undefined measurements are null in a file. */
const measured = nullable(number);

const code = object({ version: text, commit: nullable(text), changes: nullable(text) });
const machine = object({ processor: nullable(text), cores: positive, system: text, runtime: text });

const result = object({
  claim: text,
  family: text,
  verdict: oneOf(outcomes),
  expected: oneOf(["holds", "refuted"]),
  why: nullable(text),
  measured,
  bound: measured,
  margin: measured,
  worst: measured,
  violations: nullable(count),
  interval: nullable(listOf(measured, 2)),
  runs: count,
  n: positive,
  confidence: numberFrom(0, 1),
  log_p: object({ holds: numberFrom(-Infinity, 0), refuted: numberFrom(-Infinity, 0) }),
  log_e: optional(object({ holds: number, refuted: number })),
  seeds: optional(listOf(count)),
  detects: optional(object({ exceedance: nullable(numberFrom(0, 1)), factor: measured, bias: measured })),
  telling: optional(nullable(numberFrom(0, 1))),
  first_violation: nullable(count),
  seconds,
  reason: optional(nullable(text)),
  note: nullable(text),
  replay: text,
});

const verification = object({
  seed: count,
  device: devices,
  adapter: text,
  code: optional(code),
  started: optional(text),
  machine: optional(machine),
  origins: optional(listOf(object({
    seed: count,
    shards: listOf(positive),
    code: nullable(code),
    started: nullable(text),
    machine: nullable(machine),
  }))),
  asked: optional(object({ claims: nullable(listOf(text)), families: nullable(listOf(text)) })),
  level: numberFrom(0, 1),
  effort: optional(oneOf(levels)),
  family_size: positive,
  runs: optional(nullable(positive)),
  n: optional(nullable(positive)),
  delta: optional(nullable(numberFrom(0, 1))),
  cases: optional(count),
  shards: optional(object({ count: positive, present: listOf(positive) })),
  problems: optional(listOf(text)),
  interrupted: optional(object({ done: count, of: count })),
  seeds: optional(listOf(count)),
  seconds,
  claims: listOf(object({
    name: text,
    statement: text,
    formula: text,
    source: text,
    assumptions: text,
    measurement: text,
    slack: optional(text),
    rule: text,
  })),
  results: listOf(result),
  points: listOf(object({ claim: text, family: text }, { others: measured })),
}, FILE);

const scaling = object({
  seed: count,
  device: devices,
  adapter: text,
  epsilon: numberFrom(0, 1),
  budget: object({ bucket: count, samples: count }),
  seconds,
  series: listOf(object({
    workload: text,
    method: text,
    mode: oneOf(["exact", "fixed-budget", "fixed-epsilon"]),
    slope: measured,
    slope_interval: nullable(listOf(number, 2)),
    evaluations_slope: measured,
    memory_slope: measured,
    crossover: measured,
    points: listOf(object({
      n: positive,
      seconds,
      all_seconds: listOf(seconds),
      key_evaluations: number,
      peak_bytes: nullable(number),
      error: measured,
      error_output: measured,
      extrapolated: flag,
      fell_back: nullable(text),
    })),
  })),
  replay: text,
}, FILE);

/**
 * Checks that a value is a report that can be joined with others.
 *
 * @param name What the value is called in errors: the name of its file.
 * @throws {TypeError} If it is no report of a version that is read, or a field is of another type; it names file and field.
 * @throws {RangeError} If a field is out of range.
 */
export function checkReport(value: unknown, name: string): AnyReport {
  const place = `Cannot merge: ${name}`;
  object({ schema: oneOf(Object.keys(VERSIONS)), version: positive }, FILE)(value, place);
  const { schema, version } = value as AnyReport;
  if (!VERSIONS[schema].includes(version)) {
    throw new TypeError(
      `${place}: version must be one of ${
        VERSIONS[schema].join(", ")
      } of ${schema}: current value is version ${version}`,
    );
  }
  (schema === SCALING_SCHEMA ? scaling : verification)(value, place);
  const { shards } = value as VerificationReport;
  if (shards?.present.some((index) => index > shards.count)) {
    throw new RangeError(
      `${place}: shards.present must be at most count, ${shards.count}: current value is ${
        shards.present.join(", ")
      }`,
    );
  }
  return value as AnyReport;
}
