import type { Tokeniser } from "./tokeniser.ts";

/** Characters tokenised at a time. */
const PIECE = 1000;

/** The first `count` tokens of a text, or all of them if it has fewer, tokenised in pieces of 1000 characters. */
export function firstTokens(text: string, tokeniser: Tokeniser, count: number): number[] {
  const tokens: number[] = [];
  for (let at = 0; at < text.length && tokens.length < count; at += PIECE) {
    tokens.push(...tokeniser.encode(text.slice(at, at + PIECE)));
  }
  return tokens.slice(0, count);
}
