import type { Json } from '@holdfast/sdk'
import { namespaceOf, type ArchiveSummary } from '../archive/summary.ts'
import type { MongodumpConfig } from '../options.ts'
import { describePlace, type Place } from '../place.ts'
import type { Access } from '../server/open-server.ts'
import type { Comparison } from './counts.ts'
import type { Consistency } from './oplog.ts'
import { describeScope } from './scope.ts'

/** What a dump's manifest is made from. */
export interface DumpFacts {
  readonly config: MongodumpConfig
  readonly place: Place
  readonly access: Access
  readonly consistency: Consistency
  readonly summary: ArchiveSummary
  /** `undefined` when nothing was compared. */
  readonly comparison: Comparison | undefined
  /** Why nothing was compared. */
  readonly uncompared: string | undefined
}

/** Entries of a list; a server with very many collections has no manifest of megabytes. */
const longestList = 1000

/** What a dump says about itself, under `meta.mongodump` of its manifest. No secrets, no hosts. */
export function dumpManifest(facts: DumpFacts): Json {
  const { config, place, access, consistency, summary, comparison, uncompared } = facts
  const { topology } = access
  return {
    what: describeScope(config),
    ...(config.query !== undefined && { query: config.query }),
    tool: { version: summary.toolVersion, ran: describePlace(place) },
    server: topology
      ? { ...topology, seen: access.server.via }
      : { version: summary.serverVersion, unseen: access.unseen },
    consistency: { by: consistency.by, reason: consistency.reason },
    archive: {
      version: summary.version,
      gzip: config.gzip === true,
      bytes: summary.bytes,
      documents: summary.documents,
      collections: shortened(
        summary.collections.map(({ type, documents, bytes, ...each }) => ({
          namespace: namespaceOf(each),
          type,
          documents,
          bytes,
        })),
      ),
      ...(summary.oplog && { oplogEntries: summary.oplog.documents }),
    },
    counts: comparison
      ? {
          compared: comparison.counted,
          notCompared: shortened(comparison.uncounted),
          differences: shortened(comparison.differences.map((each) => ({ ...each }))),
        }
      : { compared: 0, reason: uncompared },
  }
}

function shortened(list: readonly Json[]): readonly Json[] {
  return list.length <= longestList ? list : [...list.slice(0, longestList), { more: list.length - longestList }]
}
