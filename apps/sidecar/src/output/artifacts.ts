import type { StoredArtifact } from '@holdfast/runtime'
import { formatBytes, formatTime } from './format.ts'
import type { Layout } from './runs.ts'
import type { Style } from './style.ts'
import { formatTable } from './table.ts'

/** Artifacts as a table. */
export function formatArtifacts(artifacts: readonly StoredArtifact[], { style, width }: Layout): string {
  const several = new Set(artifacts.map(({ instance }) => instance)).size > 1
  const rows = artifacts.map((artifact) => [
    ...(several ? [artifact.instance] : []),
    artifact.id,
    formatTime(artifact.createdAt),
    formatBytes(artifact.size),
    formatBytes(artifact.storedSize),
    paintState(artifact, style),
    artifact.verifiedAt ? formatTime(artifact.verifiedAt) : style.dim('not yet'),
  ])
  const head = [...(several ? ['INSTANCE'] : []), 'ARTIFACT', 'CREATED', 'SIZE', 'STORED', 'STATE', 'VERIFIED']
  const sizes = several ? [3, 4] : [2, 3]
  return formatTable(head, rows, { style, width, right: sizes })
}

function paintState({ state, reason }: StoredArtifact, style: Style): string {
  if (state === 'valid') return style.green(state)
  const paint = state === 'invalid' ? style.red : style.yellow
  return paint(reason === undefined ? state : `${state}: ${reason}`)
}
