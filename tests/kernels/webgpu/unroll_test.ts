import { assertEquals, assertThrows } from "@std/assert";
import { unroll } from "../../../kernels/webgpu/engine/unroll.ts";

Deno.test("unroll() writes loops over definitions out, inner ones too, and leaves the others", () => {
  const inner = "for (var i = 0u; i < 9u; i++) { sum += i; }";
  const source =
    `for (var r = 0u; r < ROWS; r++) {for (var c = 0u; c < COLUMNS; c++) {a[r][c] = r_c;}} ${inner}`;
  assertEquals(
    unroll(source, { ROWS: 2, COLUMNS: 1 }),
    `{{a[0u][0u] = r_c;}}\n{{a[1u][0u] = r_c;}} ${inner}`,
  );
});

Deno.test("unroll() refuses a loop that is not closed", () => {
  assertThrows(() => unroll("for (var r = 0u; r < ROWS; r++) { if (x) {", { ROWS: 2 }), SyntaxError);
});
