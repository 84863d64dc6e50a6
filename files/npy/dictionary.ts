/** The three entries of an .npy header, `descr` still as written. */
export interface HeaderFields {
  /** The dtype as a Python literal, a quoted string with single quotes for every plain dtype. */
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

/** A string, a truth value, a tuple of integers, or a list (structured dtype), in any spacing. */
const ENTRY =
  /\s*('[^'\\]*'|"[^"\\]*")\s*:\s*('[^'\\]*'|"[^"\\]*"|True|False|\([\s\d,L]*\)|\[[^{}]*\])\s*(,|(?=\}))/y;

/**
 * Reads the Python dictionary literal of an .npy header: the subset of the language that NumPy writes, so
 * that nothing is ever evaluated.
 *
 * @throws {TypeError} If it is no such dictionary, or a key is missing or of the wrong type.
 */
export function readHeaderFields(text: string, name: string): HeaderFields {
  const body = text.trim();
  const fields = new Map<string, string>();
  let at = 1;
  if (!body.startsWith("{")) fail(text, name);
  while (body[at] !== "}") {
    ENTRY.lastIndex = at;
    const entry = ENTRY.exec(body);
    if (!entry) {
      if (/^\s+\}$/.test(body.slice(at))) break;
      fail(text, name);
    }
    fields.set(entry[1].slice(1, -1), entry[2]);
    at = ENTRY.lastIndex;
  }
  if (body.slice(at).trim() !== "}") fail(text, name);

  return {
    descr: field(fields, "descr", (value) => /^['"[]/.test(value) ? value : undefined, name)
      .replace(/^"(.*)"$/, "'$1'"),
    fortranOrder: field(fields, "fortran_order", (value) => TRUTH.get(value), name),
    shape: field(fields, "shape", readTuple, name),
  };
}

const TRUTH: ReadonlyMap<string, boolean> = new Map([["True", true], ["False", false]]);

function field<T>(
  fields: ReadonlyMap<string, string>,
  key: string,
  read: (literal: string) => T | undefined,
  name: string,
): T {
  const literal = fields.get(key);
  const value = literal === undefined ? undefined : read(literal);
  if (value === undefined) {
    throw new TypeError(
      `Cannot read ${name}: header must have a proper '${key}': current value is ${literal ?? "missing"}`,
    );
  }
  return value;
}

/** A tuple of integers; Python 2 wrote long ones with an L, and a single one keeps its comma: `(3,)`. */
function readTuple(literal: string): number[] | undefined {
  if (!/^\(.*\)$/s.test(literal)) return undefined;
  const parts = literal.slice(1, -1).split(",").map((part) => part.trim());
  if (parts.at(-1) === "") parts.pop();
  return parts.every((part) => /^\d+L?$/.test(part)) ? parts.map(parseFloat) : undefined;
}

function fail(text: string, name: string): never {
  throw new TypeError(
    `Cannot read ${name}: header must be a Python dictionary: current value is ${
      JSON.stringify(text.slice(0, 80))
    }`,
  );
}
