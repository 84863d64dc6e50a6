import type { AttentionResult, AttentionStats } from "../estimators/attention/attention.ts";
import type { Certificate } from "../estimators/certified/certificate.ts";
import { sizeOf } from "../kernels/tensor.ts";
import type { NamedInput } from "../proofs_checks/inputs/family.ts";
import type { Comparison } from "./compare_exact.ts";
import { describeInputs } from "./input_options.ts";
import { residentBytes } from "./resident_memory.ts";
import { formatNumber, formatSeconds, formatTable } from "./table.ts";

/** What `attend` found out. */
export interface AttendReport {
  readonly result: AttentionResult;
  readonly comparison: Comparison | undefined;
}

/**
 * The JSON object of `attend --json`; `peak_bytes` is the largest resident set of the process so far, or null.
 *
 * @param workloadSeed Null for files.
 */
export async function toJson(
  { query, key, value, name }: NamedInput,
  { result, comparison }: AttendReport,
  workloadSeed: number | null,
): Promise<object> {
  const { stats, certificate } = result;
  return {
    command: "attend",
    workload: name,
    n_q: query.shape.at(-2),
    n_k: key.shape.at(-2),
    d: query.shape.at(-1),
    d_v: value.shape.at(-1),
    heads: sizeOf(query.shape.slice(0, -2)),
    key_heads: sizeOf(key.shape.slice(0, -2)),
    method: stats.method,
    device: stats.device,
    adapter: stats.adapter,
    seconds: stats.seconds,
    ...(comparison && {
      exact_seconds: comparison.exactSeconds,
      repeat: comparison.repeat,
      relative_error_output: comparison.relativeErrorOutput,
      relative_error_product: comparison.relativeErrorProduct,
    }),
    key_evaluations: stats.keyEvaluations,
    estimated_error: stats.estimatedError,
    held_out_rows: stats.heldOutRows,
    target: stats.target,
    warning: stats.warning,
    peak_bytes: await residentBytes("most").catch(() => null),
    bucket: stats.bucketSize,
    samples: stats.samples,
    seed: stats.seed,
    check_seed: certificate?.checkSeed ?? null,
    workload_seed: workloadSeed,
    storage: stats.storage,
    fell_back: stats.fellBack,
    certificate,
  };
}

/** The table of `attend` for people. */
export function toTable(inputs: NamedInput, { result, comparison }: AttendReport): string {
  const { stats, output, certificate } = result;
  const queries = sizeOf(output.shape.slice(0, -1)), keys = inputs.key.shape[inputs.key.shape.length - 2];
  const rows = [
    ["method", "time", "key evaluations per query", ...(comparison ? ["error ‖Att~−Att‖/‖Att‖"] : [])],
    [
      stats.method,
      formatSeconds(stats.seconds),
      formatNumber(stats.keyEvaluations / queries),
      ...(comparison ? [formatNumber(comparison.relativeErrorOutput)] : []),
    ],
  ];
  if (comparison && stats.method !== "exact") {
    rows.push(["exact", formatSeconds(comparison.exactSeconds), String(keys), "0"]);
  }
  const lines = [
    describeInputs(inputs, { kind: stats.device, adapter: stats.adapter }),
    "",
    formatTable(rows),
  ];
  if (comparison && stats.method !== "exact") {
    lines.push("", `${formatNumber(comparison.exactSeconds / stats.seconds)}x the speed of exact attention`);
  }
  if (stats.target) lines.push("", describeTarget(stats.target));
  else if (stats.heldOutRows > 0 && stats.method !== "exact") {
    const estimate = formatNumber(stats.estimatedError!);
    lines.push("", `estimated error ${estimate}, from ${stats.heldOutRows} rows held out; no certificate`);
  }
  if (certificate) lines.push("", describeCertificate(certificate));
  if (stats.fellBack) lines.push("", stats.fellBack);
  return lines.join("\n");
}

/** What is known of an error that was aimed at, in words. */
function describeTarget(
  { tolerance, error, low, high, rows }: NonNullable<AttentionStats["target"]>,
): string {
  const asked = `error at most ${tolerance} of the norm of each head's output asked for`;
  if (error === 0) return `${asked}: the output is exact`;
  const interval = `${formatNumber(low)} to ${formatNumber(high)}`;
  return `${asked}: estimated ${formatNumber(error)} (${interval}) from ${rows} rows; no certificate`;
}

/** A certificate in words; bounds and estimates are never called by each other's name. */
export function describeCertificate({ kind, holds, epsilon, delta, ...found }: Certificate): string {
  const asked = `error at most ${epsilon} · ‖P‖ · ‖V‖`;
  const size = kind === "estimate" ? found.operatorNormEstimate : found.operatorNormBound;
  const figures = `${formatNumber(size)} of ${formatNumber(found.target)} allowed`;
  if (kind === "exact") {
    return `certificate: ${asked}, since the output is exact but for rounding; bound ${figures}`;
  }
  const checked = `${found.rowsChecked} rows checked, check seed ${found.checkSeed}`;
  if (kind === "estimate") {
    return `estimate, no guarantee: ${asked}${holds ? "" : " NOT found"}; estimate ${figures}, ${checked}`;
  }
  if (delta === 0) return `certificate: ${asked} for certain; bound ${figures}, no rows checked`;
  return `certificate: ${holds ? "" : "NOT established: "}${asked} with probability ${1 - delta}; ` +
    `bound ${figures}, ${checked}`;
}
