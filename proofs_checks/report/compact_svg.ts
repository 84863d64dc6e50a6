/** Groups of marks without groups within them. */
const MARKS = /(<g class="mark-[^>]*>)((?:(?!<\/?g[ >]).)+)(<\/g>)/gs;
/** Attributes whose numbers are pixels. */
const PIXELS = / (?:transform|d)="[^"]*"/g;
/** A group that is not worth a name. */
const SHORT = 500;

/**
 * The same drawing in fewer bytes: pixels to a hundredth, and of groups of marks that are alike, such as the points that every panel repeats, one,
 * to which the others refer.
 */
export function compactSvg(svg: string): string {
  const rounded = svg.replace(
    PIXELS,
    (attribute) =>
      attribute.replace(/-?\d+\.\d{3,}/g, (number) => String(Math.round(Number(number) * 100) / 100)),
  );
  const known = new Map<string, string>();
  return rounded.replace(MARKS, (whole, open: string, marks: string, close: string) => {
    if (marks.length < SHORT) return whole;
    const name = known.get(marks);
    if (name !== undefined) return `${open}<use href="#${name}"/>${close}`;
    const own = `marks-${nameOf(marks)}`;
    known.set(marks, own);
    return `${open}<g id="${own}">${marks}</g>${close}`;
  });
}

/** FNV-1a: what is alike has one name, on a page with several drawings too. */
function nameOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(36);
}
