import * as constants from "../../constants.ts";

/** `const` declarations of the contract's numbers that a source mentions. */
export function declareConstants(source: string): string {
  const mentioned = Object.entries<number>(constants).filter(([name]) =>
    new RegExp(`\\b${name}\\b`).test(source)
  );
  return mentioned.map(([name, value]) => {
    const isWord = Number.isInteger(value) && value >= 0 && value < 2 ** 32;
    return `const ${name} = ${value}${isWord ? "u" : ""};\n`;
  }).join("");
}
