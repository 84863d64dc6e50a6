import { GLYPH_HEIGHT, GLYPH_WIDTH, isInk } from "./font.ts";

/** Rows of pixels that the model takes. */
export const IMAGE_HEIGHT = 48;
/** Pixels that become one row of a head. */
export const PIXELS_PER_ROW = 8;
/** Pixels to a side of a dot of the font: with its margin the line fills the height that the model takes. */
const DOT = 4;
/** A glyph and the gap after it. */
const CELL = (GLYPH_WIDTH + 1) * DOT;
const MARGIN = (IMAGE_HEIGHT - GLYPH_HEIGHT * DOT) / 2;
/** Black and white as the model wants them: (x / 255 − 0.5) / 0.5. */
const BLACK = -1, WHITE = 1;

/** How many characters fit a line of n rows: three rows hold one. */
export function charactersOf(n: number): number {
  return Math.floor(n * PIXELS_PER_ROW / CELL);
}

/**
 * A line of text, black on white.
 *
 * @param n Rows that the model shall see.
 * @returns [3, 48, 8 n], the three colours alike; white where the text ends before the line does.
 */
export function drawLine(text: string, n: number): Float32Array<ArrayBuffer> {
  const width = n * PIXELS_PER_ROW, plane = IMAGE_HEIGHT * width;
  const image = new Float32Array(3 * plane).fill(WHITE);
  [...text].slice(0, charactersOf(n)).forEach((character, at) => {
    for (let y = 0; y < GLYPH_HEIGHT * DOT; y++) {
      for (let x = 0; x < GLYPH_WIDTH * DOT; x++) {
        if (!isInk(character, Math.floor(y / DOT), Math.floor(x / DOT))) continue;
        image[(MARGIN + y) * width + at * CELL + x] = BLACK;
      }
    }
  });
  image.copyWithin(plane, 0, plane);
  image.copyWithin(2 * plane, 0, plane);
  return image;
}
