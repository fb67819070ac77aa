import { planRow, runRow } from './plan-rows.ts'
import { proofRow, selfRow } from './proof-rows.ts'
import type { Panel, Row } from './panel.ts'
import { heldRow, targetRow } from './target-rows.ts'

/** What the dashboard shows, from top to bottom. */
export const rows: readonly Row[] = [planRow, runRow, targetRow, heldRow, proofRow, selfRow]

const datasource = { type: 'prometheus', uid: '${datasource}' }
const columns = 24
const refIds = 'ABCDEFGH'
const heights: Readonly<Record<Panel['type'], number>> = { stat: 4, timeseries: 8, bargauge: 8, table: 8 }

/** The dashboard, as Grafana imports it. */
export function dashboard(): object {
  return {
    uid: 'holdfast',
    title: 'Holdfast',
    description: 'Backups: how old they are, how runs went, what stands still, what was proven.',
    tags: ['backup', 'holdfast'],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '1m',
    time: { from: 'now-7d', to: 'now' },
    timezone: 'browser',
    templating: {
      list: [
        { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' },
        variable('namespace', 'Namespace', 'label_values(holdfast_plan_info, namespace)'),
        variable('plan', 'Plan', 'label_values(holdfast_plan_info{namespace=~"$namespace"}, plan)'),
      ],
    },
    panels: placed(),
  }
}

/** Outside of a cluster there is no namespace: what matches everything matches that, too. */
function variable(name: string, label: string, query: string): object {
  const current = { text: 'All', value: '$__all' }
  const all = { multi: true, includeAll: true, allValue: '.*', current }
  return { name, label, type: 'query', datasource, query: { query, refId: name }, refresh: 2, sort: 1, ...all }
}

/** From left to right, and below each other where a line is full. */
function placed(): readonly object[] {
  const made: object[] = []
  let y = 0
  for (const { title, panels } of rows) {
    made.push({
      id: made.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: grid(0, y, columns, 1),
    })
    y++
    let x = 0
    let height = 0
    for (const panel of panels) {
      if (x + panel.width > columns) {
        y += height
        x = 0
        height = 0
      }
      made.push({ id: made.length + 1, gridPos: grid(x, y, panel.width, heights[panel.type]), ...panelOf(panel) })
      x += panel.width
      height = Math.max(height, heights[panel.type])
    }
    y += height
  }
  return made
}

function grid(x: number, y: number, w: number, h: number): object {
  return { x, y, w, h }
}

function panelOf({ type, title, description, queries, unit = 'short', redFrom, columns: named }: Panel): object {
  const isNow = type !== 'timeseries'
  const steps = [{ color: 'green', value: null }, ...(redFrom === undefined ? [] : [{ color: 'red', value: redFrom }])]
  return {
    type,
    title,
    description,
    datasource,
    targets: queries.map(({ expr, legend }, at) => ({
      refId: refIds[at],
      datasource,
      expr,
      legendFormat: legend,
      ...(isNow ? { instant: true, range: false } : { range: true }),
      ...(type === 'table' && { format: 'table' }),
    })),
    fieldConfig: {
      defaults: {
        unit,
        thresholds: { mode: 'absolute', steps },
        ...(type === 'timeseries' && { min: 0, custom: { fillOpacity: 8, showPoints: 'never' } }),
        ...(type !== 'timeseries' && { min: 0 }),
      },
      overrides: [],
    },
    ...optionsOf(type),
    ...(named && {
      transformations: [
        { id: 'merge', options: {} },
        { id: 'organize', options: { excludeByName: { Time: true }, renameByName: named } },
      ],
    }),
  }
}

function optionsOf(type: Panel['type']): object {
  if (type === 'timeseries') {
    return { options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } } }
  }
  const reduceOptions = { calcs: ['lastNotNull'], fields: '', values: false }
  if (type === 'stat') return { options: { reduceOptions, colorMode: 'value', graphMode: 'none', textMode: 'value' } }
  if (type === 'bargauge') return { options: { reduceOptions, orientation: 'horizontal', displayMode: 'basic' } }
  return { options: { showHeader: true } }
}
