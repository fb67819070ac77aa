import type { CheckContext, PlannedStep, Target } from '@holdfast/sdk'
import type { MongodumpConfig } from '../options.ts'
import { describePlace, placeOf } from '../place.ts'
import { describeScope } from './scope.ts'

/** What a dump does, for `holdfast plan`. */
export function describeDump({
  config,
}: CheckContext<MongodumpConfig> & { readonly target: Target }): readonly PlannedStep[] {
  const { quiesce, verify = 'dry-run', where, archive = 'dump.archive', oplog = 'auto', database } = config
  const ran = describePlace(placeOf(where))
  const withOplog = database === undefined && oplog !== false && quiesce === undefined
  return [
    ...(quiesce === undefined
      ? []
      : [{ kind: 'undo' as const, what: 'holds writes back with fsyncLock until all backups are done' }]),
    ...(verify === 'archive' ? [] : [{ kind: 'api' as const, what: 'counts documents before and after' }]),
    {
      kind: 'exec',
      what: `mongodump of ${describeScope(config)}${withOplog ? `, with the oplog${oplog === true ? '' : ' if there is one'}` : ''}`,
      where: ran,
    },
    { kind: 'artifact', what: archive },
    ...(verify === 'dry-run'
      ? [{ kind: 'exec' as const, what: 'mongorestore --dryRun of what was stored', where: ran }]
      : []),
  ]
}
