/** Text that is HTML already: what {@link html} made, and nothing else gets past it unescaped. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in an {@link html} template. Null and undefined are nothing. */
export type Content = string | number | Html | null | undefined | readonly Content[];

/**
 * HTML from a template. Every value is escaped, for text and for attributes in quotes alike, but for what is {@link Html} already:
 * nothing that comes from a file can become markup by being forgotten.
 */
export function html(literals: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(literals.reduce((text, literal, at) => text + render(values[at - 1]) + literal));
}

function render(content: Content): string {
  if (content instanceof Html) return content.text;
  if (Array.isArray(content)) return content.map(render).join("");
  return content === null || content === undefined ? "" : escape(String(content));
}

const NAMES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => NAMES[character]);
}

/** A number with three significant digits, and a word where there is none. */
export function shortNumber(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const magnitude = Math.abs(value);
  return magnitude < 1e-3 || magnitude >= 1e6 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}
