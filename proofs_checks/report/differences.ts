/** A report and what it is called. */
export interface Named<R> {
  readonly name: string;
  readonly report: R;
}

/** Names of files are listed up to so many for each value. */
const MOST_NAMED = 3;

/** What every sentence about a difference has. */
export const DIFFERS = " differs: ";

/** Which settings differ between reports, each in words: what it is, its values and which reports have them. */
export function differences<R>(
  reports: readonly Named<R>[],
  settings: Readonly<Record<string, (report: R) => string | number | null>>,
): string[] {
  return Object.entries(settings).flatMap(([setting, valueOf]) => {
    const byValue = new Map<string, string[]>();
    for (const { name, report } of reports) {
      const value = String(valueOf(report) ?? "not given");
      byValue.set(value, [...byValue.get(value) ?? [], name]);
    }
    if (byValue.size < 2) return [];
    const values = [...byValue].map(([value, names]) =>
      `${value} in ${names.slice(0, MOST_NAMED).join(", ")}${names.length > MOST_NAMED ? ", …" : ""}`
    );
    return [`${setting}${DIFFERS}${values.join("; ")}`];
  });
}
