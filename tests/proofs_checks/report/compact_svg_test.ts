import { assertEquals, assertStringIncludes } from "@std/assert";
import { compactSvg } from "../../../proofs_checks/report/compact_svg.ts";

const points = Array.from({ length: 30 }, (_, at) => `<path transform="translate(${at / 7},1.23456)"/>`).join(
  "",
);
const group = (content: string) => `<g class="mark-symbol role-mark">${content}</g>`;

Deno.test("compactSvg: marks that are alike are drawn once and referred to", () => {
  const other = points.replace("translate(0,", "translate(9,");
  const found = compactSvg(`<svg><g>${group(points)}${group(other)}${group(points)}</g></svg>`);
  assertEquals(found.match(/<path/g)!.length, 60);
  const [, name] = found.match(/<use href="#([^"]+)"\/>/)!;
  assertStringIncludes(found, `<g id="${name}"><path transform="translate(0,1.23)"/>`);
  assertEquals(found.match(/<use/g)!.length, 1);
});

Deno.test("compactSvg: pixels are rounded, text is not", () => {
  assertEquals(
    compactSvg(
      '<svg><text transform="translate(-0.123456,2)">1.23456</text><path d="M1.8708,-3.14159"/></svg>',
    ),
    '<svg><text transform="translate(-0.12,2)">1.23456</text><path d="M1.87,-3.14"/></svg>',
  );
});

Deno.test("compactSvg: few marks, and groups of groups, stay as they are", () => {
  const few = `<svg>${group("<path/>")}${group("<path/>")}${group(group("<path/>"))}</svg>`;
  assertEquals(compactSvg(few), few);
});
