/** One piece of the vocabulary and the logarithm of its probability; the index is its token. */
export type VocabularyEntry = readonly [piece: string, score: number];

/** Stands for a space and for the start of the text. */
const SEPARATOR = "\u2581";
/** Entries at the start of the vocabulary that are no pieces of text. */
const RESERVED = 6;
const UNKNOWN = 0;

interface Node {
  readonly children: Map<string, Node>;
  token: number;
}

/**
 * The tokeniser of the Universal Sentence Encoder lite: the most probable segmentation under a unigram language
 * model (Kudo 2018), found by Viterbi's algorithm. Follows the published JavaScript one token by token, ties
 * and unreachable positions included.
 */
export class Tokeniser {
  readonly #vocabulary: readonly VocabularyEntry[];
  readonly #root: Node = { children: new Map(), token: UNKNOWN };

  constructor(vocabulary: readonly VocabularyEntry[]) {
    this.#vocabulary = vocabulary;
    for (let token = RESERVED; token < vocabulary.length; token++) {
      let node = this.#root;
      for (const symbol of vocabulary[token][0]) {
        let child = node.children.get(symbol);
        if (!child) node.children.set(symbol, child = { children: new Map(), token: UNKNOWN });
        node = child;
      }
      node.token = token;
    }
  }

  /** The tokens of a text; a run of symbols that the vocabulary lacks is one unknown token, 0. */
  encode(text: string): number[] {
    const normalised = text.normalize("NFKC");
    if (normalised === "") return [];
    const symbols = [...SEPARATOR + normalised.replaceAll(" ", SEPARATOR)];
    return this.#trace(this.#bestLastTokens(symbols));
  }

  /** For each position, the last token of the best segmentation that ends there. */
  #bestLastTokens(symbols: readonly string[]): Int32Array {
    const last = new Int32Array(symbols.length + 1), best = new Float64Array(symbols.length + 1);
    const offer = (end: number, score: number, token: number) => {
      // 0 marks a position that no piece has reached.
      if (best[end] !== 0 && score < best[end]) return;
      best[end] = score;
      last[end] = token;
    };
    for (let start = 0; start < symbols.length; start++) {
      let node = this.#root.children.get(symbols[start]), matched = false;
      for (let end = start + 1; node; end++) {
        if (node.token !== UNKNOWN) {
          offer(end, best[start] + this.#vocabulary[node.token][1], node.token);
          matched = true;
        }
        node = node.children.get(symbols[end]);
      }
      if (!matched) offer(start + 1, best[start], UNKNOWN);
    }
    return last;
  }

  #trace(last: Int32Array): number[] {
    const tokens: number[] = [];
    for (let end = last.length - 1; end > 0;) {
      const token = last[end];
      if (token !== UNKNOWN || tokens.at(-1) !== UNKNOWN) tokens.push(token);
      end -= token === UNKNOWN ? 1 : [...this.#vocabulary[token][0]].length;
    }
    return tokens.reverse();
  }
}
