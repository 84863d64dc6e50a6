/** Columns of a glyph. */
export const GLYPH_WIDTH = 5;
/** Rows of a glyph, the last two of which only descenders reach. */
export const GLYPH_HEIGHT = 9;

/**
 * A bitmap font of its own, so that text can be drawn with neither a canvas nor a font file, and to the same
 * pixels on every machine. A row is a digit of base 32, whose bits are the five columns; rows that are left
 * out are empty.
 */
const GLYPHS: Readonly<Record<string, string>> = {
  A: "ehhvhhh",
  B: "uhhuhhu",
  C: "ehggghe",
  D: "uhhhhhu",
  E: "vgguggv",
  F: "vgguggg",
  G: "ehgnhhf",
  H: "hhhvhhh",
  I: "e44444e",
  J: "72222ic",
  K: "hikokih",
  L: "ggggggv",
  M: "hrllhhh",
  N: "hppljjh",
  O: "ehhhhhe",
  P: "uhhuggg",
  Q: "ehhhlid",
  R: "uhhukih",
  S: "fgge11u",
  T: "v444444",
  U: "hhhhhhe",
  V: "hhhhha4",
  W: "hhhllla",
  X: "hha4ahh",
  Y: "hhha444",
  Z: "v1248gv",
  a: "00e1fhf",
  b: "ggmphhu",
  c: "00egghe",
  d: "11djhhf",
  e: "00ehvge",
  f: "698s888",
  g: "00fhhhf1e",
  h: "ggmphhh",
  i: "40c444e",
  j: "2062222ic",
  k: "ggikoki",
  l: "c44444e",
  m: "00qllhh",
  n: "00mphhh",
  o: "00ehhhe",
  p: "00uhhhugg",
  q: "00fhhhf11",
  r: "00mpggg",
  s: "00ege1u",
  t: "88s8896",
  u: "00hhhjd",
  v: "00hhha4",
  w: "00hhlla",
  x: "00ha4ah",
  y: "00hhhhf1e",
  z: "00v248v",
  0: "ehjlphe",
  1: "4c4444e",
  2: "eh1248v",
  3: "v2421he",
  4: "26aiv22",
  5: "vgu11he",
  6: "68guhhe",
  7: "v124888",
  8: "ehhehhe",
  9: "ehhf12c",
  ".": "00000cc",
  ",": "00000c48",
  ";": "0cc00c48",
  ":": "0cc00cc",
  "!": "4444404",
  "?": "eh12404",
  "'": "448",
  '"': "aa",
  "-": "000e",
  "—": "000v",
  "(": "2488842",
  ")": "8422248",
};

/** Whether a character's glyph is black at a row and column; characters that the font lacks are blank. */
export function isInk(character: string, row: number, column: number): boolean {
  const digit = GLYPHS[character]?.[row] ?? "0";
  return (parseInt(digit, 32) >> (GLYPH_WIDTH - 1 - column) & 1) === 1;
}
