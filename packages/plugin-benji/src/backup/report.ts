import { isHoldfastError, type TargetContext, type VerifyContext } from '@holdfast/sdk'
import { pushCompatMetrics } from '../metrics/push.ts'
import type { Volume } from '../target.ts'
import { postEvent } from '../event.ts'
import type { BackupConfig } from './options.ts'

type Context = TargetContext<BackupConfig, Volume>

/** Tells of each volume's backup as Benji's tools did: an Event about its claim, and their metrics. */
export interface Reports {
  /** Runs a volume's backup; its failure is told, and thrown on. */
  backup(ctx: Context, body: (ctx: Context) => Promise<void>): Promise<void>
  /** Runs its verification, the end of the backup: now its success is told. */
  verify(
    ctx: VerifyContext<BackupConfig, Volume>,
    body: (ctx: VerifyContext<BackupConfig, Volume>) => Promise<void>,
  ): Promise<void>
}

/** Creates {@link Reports} of one plugin. */
export function createReports(): Reports {
  /** When the backup of a target began, until it has been told of, or begins in the plan's next run. */
  const began = new Map<string, Date>()
  const keyOf = ({ run, target }: Pick<Context, 'run' | 'target'>): string => `${run.plan} ${target.id}`

  async function tell(ctx: Context, error: unknown, uid?: string): Promise<void> {
    const startedAt = began.get(keyOf(ctx)) ?? ctx.clock.now()
    began.delete(keyOf(ctx))
    const endedAt = ctx.clock.now()
    const { volume, claim } = ctx.target.data
    await pushCompatMetrics(ctx, { kind: 'backup', volume, claim, startedAt, endedAt, succeeded: error === undefined })
    const seconds = Math.round((endedAt.getTime() - startedAt.getTime()) / 1000)
    await postEvent(
      ctx,
      ctx.target.object,
      error === undefined
        ? {
            type: 'Normal',
            reason: 'SuccessfulBackup',
            message: `Backup to ${uid ?? '?'} completed successfully (took ${seconds} seconds).`,
          }
        : { type: 'Warning', reason: 'FailedBackup', message: `Backup failed: ${describe(error)}` },
      ctx.config.engine,
    )
  }

  return {
    async backup(ctx, body) {
      // Not ours, and nothing to tell of.
      if (ctx.target.data.refused?.as === 'skipped') return body(ctx)
      began.set(keyOf(ctx), ctx.clock.now())
      try {
        await body(ctx)
      } catch (error) {
        await tell(ctx, error)
        throw error
      }
    },
    async verify(ctx, body) {
      try {
        await body(ctx)
      } catch (error) {
        await tell(ctx, error)
        throw error
      }
      await tell(ctx, undefined, ctx.points[0]?.id)
    },
  }
}

function describe(error: unknown): string {
  if (isHoldfastError(error)) return `${error.code} ${error.message}`
  return error instanceof Error ? `${error.name} ${error.message}` : String(error)
}
