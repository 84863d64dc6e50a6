/** A word of a program, and where it stands. */
export interface Token {
  readonly kind: "word" | "number" | "sign" | "text";
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Whether blanks stand on both sides, as they do about an operator between two operands and about nothing of a type's brackets. */
  readonly isApart: boolean;
}

/** What may follow, the first that fits; comments, strings and templates are passed over whole. */
const PATTERNS: readonly (readonly [Token["kind"] | "nothing", RegExp])[] = [
  ["nothing", /\s+|\/\/[^\n]*|\/\*[^]*?\*\//y],
  ["text", /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`/y],
  ["word", /#?[A-Za-z_$][\w$]*/y],
  ["number", /0x[\da-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y],
  [
    "sign",
    />>>=|\*\*=|<<=|>>=|>>>|===|!==|\.\.\.|&&=|\|\|=|\?\?=|=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.|\+\+|--|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|\*\*|<<|>>|[-+*/%<>=!&|^~?:;,.(){}[\]@]/y,
  ],
];
/** Words after which a slash begins a regular expression, and signs; after other tokens it divides. */
const BEFORE_EXPRESSION = /^(?:return|typeof|of|in|case|[=(,:;!&|?{}[+]|=>|&&|\|\|)$/;

/** The tokens of a source, TypeScript or AssemblyScript, without comments, imports and declarations of types. */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < source.length;) {
    const found = next(source, at, tokens.at(-1));
    at += found.text.length;
    if (found.kind === "nothing") continue;
    const start = at - found.text.length, around = `${source[start - 1] ?? " "}${source[at] ?? " "}`;
    tokens.push({ kind: found.kind, text: found.text, start, end: at, isApart: /^\s\s$/.test(around) });
  }
  const dead = deadRanges(source);
  return tokens.filter(({ start }) => !dead.some(([from, to]) => start >= from && start < to));
}

function next(source: string, at: number, before?: Token): { kind: Token["kind"] | "nothing"; text: string } {
  if (
    source[at] === "/" && !/[/*]/.test(source[at + 1]) && (!before || BEFORE_EXPRESSION.test(before.text))
  ) {
    const expression = /\/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n[])+\/[a-z]*/y;
    expression.lastIndex = at;
    const [text] = expression.exec(source) ?? [];
    if (text) return { kind: "text", text };
  }
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const [text] = pattern.exec(source) ?? [];
    if (text) return { kind, text };
  }
  throw new Error(`Cannot read the source: nothing is known that begins with '${source.slice(at, at + 20)}'`);
}

/** Where nothing runs: imports, interfaces and types, which end at the next line that begins no deeper. */
function deadRanges(source: string): (readonly [number, number])[] {
  const heads = /^(?:export )?(?:import|interface|type|declare|abstract) [^]*?(?:;|^\}|\{\})$/gm;
  return [...source.matchAll(heads)].filter(([text]) => !/^(?:export )?abstract/.test(text))
    .map(({ index, 0: text }) => [index, index + text.length] as const);
}
