import { type Content, type Html, html } from "./html.ts";

/** A cell for a number. */
export const numberCell = (content: Content): Html => html`<td class="number">${content}</td>`;

/** A table with headings that scrolls by itself; rows are made of cells. */
export function table(heads: readonly string[], rows: readonly Html[], more: Content = null): Html {
  return html`
    <div class="scroll" tabindex="0">
      <table class="all"><tr>${heads.map((head) => html`<th>${head}</th>`)}</tr>${rows}</table>
    </div>${more}
  `;
}
