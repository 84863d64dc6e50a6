import type { Token } from "./tokens.ts";

/** One way of changing tokens in a row. */
export interface Change {
  /** First and last of the tokens that are replaced. */
  readonly first: number;
  readonly last: number;
  readonly replace: string;
  /** In words. */
  readonly fault: string;
}

/** A kind of fault that can be made wherever tokens are alike. */
export interface Operator {
  readonly name: string;
  /** The change at a token, if it can be made there. */
  changeAt(tokens: readonly Token[], at: number): Change | undefined;
}

/** One token for another, if it stands apart where that matters. */
function exchange(name: string, pairs: Readonly<Record<string, string>>, apart: boolean): Operator {
  return {
    name,
    changeAt(tokens, at) {
      const { text, isApart } = tokens[at], other = Object.hasOwn(pairs, text) ? pairs[text] : undefined;
      if (other === undefined || apart && !isApart) return undefined;
      return { first: at, last: at, replace: other, fault: `${text} becomes ${other}` };
    },
  };
}

const both = (...pairs: readonly (readonly [string, string])[]) =>
  Object.fromEntries(pairs.flatMap(([a, b]) => [[a, b], [b, a]]));

const TWINS = both(["queries", "keys"], ["features", "valueFeatures"]);

/** `Math.min` for `Math.max`, and the bare `min` and `max` of AssemblyScript. */
const extremes = exchange("min for max", both(["min", "max"]), false);

/** An operand after a binary sign is dropped with it: `/ 3`, `- 1`, `/ heads`. */
function dropped(name: string, sign: string, operand: (token: Token) => boolean): Operator {
  return {
    name,
    changeAt(tokens, at) {
      const next = tokens[at + 1], after = tokens[at + 2]?.text ?? ";";
      if (tokens[at].text !== sign || !tokens[at].isApart || !next || !operand(next)) return undefined;
      // What follows must not bind to the operand.
      if (["(", "[", ".", "?.", "**", "++", "--", "<"].includes(after)) return undefined;
      return { first: at, last: at + 1, replace: "", fault: `'${sign} ${next.text}' is dropped` };
    },
  };
}

/** A name in the place of another with the same type: an axis or a width. */
const swapped: Operator = {
  name: "swapped axes and widths",
  changeAt(tokens, at) {
    const { text } = tokens[at], other = Object.hasOwn(TWINS, text) ? TWINS[text] : undefined;
    // Names that are declared there, or told to a function, would only be unknown.
    const isDeclared = [":", "?", "=", "}"].includes(tokens[at + 1]?.text ?? "");
    if (other === undefined || isDeclared) return undefined;
    return { first: at, last: at, replace: other, fault: `${text} becomes ${other}` };
  },
};

/** `head * size` is that of head 0. */
const headZero: Operator = {
  name: "head 0",
  changeAt(tokens, at) {
    const { text } = tokens[at], next = tokens[at + 1]?.text, before = tokens[at - 1]?.text;
    if (!["head", "keyHead", "firstHead"].includes(text)) return undefined;
    const isIndex = before === "[" && next === "]" || next === "*" && before !== ".";
    return isIndex ? { first: at, last: at, replace: "0", fault: `${text} becomes 0` } : undefined;
  },
};

/** The purpose named at a token, if it is `Purpose.name`. */
function purposeAt(tokens: readonly Token[], at: number): string | undefined {
  const [purpose, dot, name] = tokens.slice(at, at + 3).map(({ text }) => text);
  return purpose === "Purpose" && dot === "." ? name : undefined;
}

/** A purpose of random numbers is another one's of the same file: of one that nobody draws for nothing could be told. */
const reused: Operator = {
  name: "seed reused",
  changeAt(tokens, at) {
    const name = purposeAt(tokens, at);
    const other = name &&
      tokens.map((_, place) => purposeAt(tokens, place)).find((one) => one && one !== name);
    if (!other) return undefined;
    return { first: at + 2, last: at + 2, replace: other, fault: `the purpose ${name} becomes ${other}` };
  },
};

/** What is done under a condition is never done. */
const unmasked: Operator = {
  name: "condition dropped",
  changeAt(tokens, at) {
    if (tokens[at].text !== "if" || tokens[at + 1]?.text !== "(") return undefined;
    return { first: at + 1, last: at + 1, replace: "(false && ", fault: "the condition is never met" };
  },
};

/** A loop begins one later. */
const later: Operator = {
  name: "off by one",
  changeAt(tokens, at) {
    const words = tokens.slice(at, at + 4).map(({ text }) => text);
    if (tokens[at - 1]?.text !== "let" && tokens[at - 1]?.text !== ",") return undefined;
    if (words[1] !== "=" || words[2] !== "0" || words[3] !== ";") return undefined;
    return { first: at + 2, last: at + 2, replace: "1", fault: `${words[0]} begins at 1` };
  },
};

/** The operators, in the order in which they are tried at a token. */
export const operators: readonly Operator[] = [
  exchange("sign flipped", both(["+", "-"]), true),
  exchange("times for over", both(["*", "/"]), true),
  exchange("strictness", both(["<", "<="], [">", ">="]), true),
  exchange("and for or", both(["&&", "||"]), true),
  exchange("sum for difference", both(["+=", "-="]), true),
  extremes,
  dropped("divisor dropped", "/", ({ kind }) => kind === "number" || kind === "word"),
  dropped("off by one", "-", ({ text }) => text === "1"),
  dropped("off by one", "+", ({ text }) => text === "1"),
  dropped("power dropped", "**", ({ text }) => text === "2"),
  swapped,
  headZero,
  reused,
  unmasked,
  later,
];
