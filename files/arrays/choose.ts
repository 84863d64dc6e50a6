/** Which array of a file that holds several. */
export interface ArrayChoice {
  /** Its name; where none is given, its usual names or its being alone decide. */
  readonly name?: string;
  /** What it is usually called, in lower case; letters of names in the file may be of either case. */
  readonly usual?: readonly string[];
  /** Whether it must be called so, even where the file has no other. */
  readonly strict?: boolean;
}

/** How many names an error lists. */
const LISTED = 20;

/**
 * The name of the array that is wanted.
 *
 * @param names Those that the file has.
 * @throws {TypeError} If there is none, or more than one; the error lists the names.
 */
export function chooseArray(
  names: readonly string[],
  archive: string,
  { name, usual = [], strict = false }: ArrayChoice,
): string {
  if (name !== undefined) {
    const found = names.filter((one) => one === name);
    if (found.length === 1) return name;
    throw new TypeError(
      `Cannot read ${archive}:${name}: ${
        found.length > 1
          ? `there are ${found.length} arrays of this name in it`
          : "there is no such array in it"
      }: it has ${listed(names)}`,
    );
  }
  const called = names.filter((one) => usual.includes(one.toLowerCase()));
  if (called.length === 1) return called[0];
  if (names.length === 1 && !strict) return names[0];
  const why = called.length > 1
    ? `, since ${called.length} are called ${usual.join(" or ")}`
    : usual.length > 0
    ? `, since none is called ${usual.join(" or ")}`
    : "";
  throw new TypeError(
    `Cannot read ${archive}: one of its ${names.length} arrays must be named, as in ${archive}:NAME${why}: it has ${
      listed(called.length > 1 ? called : names)
    }`,
  );
}

function listed(names: readonly string[]): string {
  return names.slice(0, LISTED).join(", ") + (names.length > LISTED ? ", …" : "") || "none";
}
