import type { Part } from '../api/parts.ts'
import { html, type Content, type Html } from './html.ts'

/** A column of a table. */
export interface Column<Row> {
  readonly head: string
  /** `number`: to the right. `why`: may be long. `bar`: a picture. `id`: in one line. The first column heads its row. */
  readonly kind?: 'number' | 'why' | 'bar' | 'id' | undefined
  cell(row: Row): Content
}

/**
 * A table that can be scrolled with the keyboard where it is too wide. On a phone each row is a card: the style says so, and
 * the roles are written out, because browsers forget them for what is not displayed as a table.
 */
export function table<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[]): Html {
  const classOf = ({ kind }: Column<Row>): Content => kind !== undefined && html` class="${kind}"`
  return html`<div class="wide" role="region" aria-label="${caption}" tabindex="0">
    <table role="table">
      <caption>
        ${caption}
      </caption>
      <thead role="rowgroup">
        <tr role="row">
          ${columns.map((column) => html`<th scope="col" role="columnheader" ${classOf(column)}>${column.head}</th>`)}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.map(
          (row) =>
            html`<tr role="row">
              ${columns.map((column, index) =>
                index === 0
                  ? html`<th scope="row" role="rowheader" ${classOf(column)}>${column.cell(row)}</th>`
                  : html`<td role="cell" data-head="${column.head}" ${classOf(column)}>${column.cell(row)}</td>`,
              )}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`
}

/** The way to the rest of a list. */
export function more(
  { next, total }: Pick<Part<unknown>, 'next' | 'total'>,
  path: string,
  shown: Readonly<Record<string, string | undefined>>,
  text: string,
): Content {
  if (!next) return undefined
  const rest = total === undefined ? '' : ` (${total} in all)`
  return html`<p class="more"><a href="${linkTo(path, { ...shown, ...next })}">${text}</a>${rest}</p>`
}

/** A path with its parameters. */
export function linkTo(path: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as [string, string]],
  )
  const query = new URLSearchParams(given).toString()
  return query === '' ? path : `${path}?${query}`
}
