/** Rows of cells as aligned columns; the first row is the heading. Numbers align right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const numeric = rows[0].map((_, column) => rows.slice(1).every((row) => /^[-–\d.]|^$/.test(row[column])));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => numeric[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))
      .join("  ").trimEnd();
  return [line(rows[0]), widths.map((width) => "─".repeat(width)).join("  "), ...rows.slice(1).map(line)]
    .join("\n");
}

/** A duration as people read it. */
export function formatSeconds(seconds: number): string {
  return seconds >= 1 ? `${seconds.toFixed(2)} s` : `${(seconds * 1000).toFixed(seconds < 0.01 ? 2 : 1)} ms`;
}

/** A number with three significant digits. */
export function formatNumber(value: number): string {
  if (value === 0) return "0";
  return Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6
    ? value.toExponential(2)
    : String(Number(value.toPrecision(3)));
}
