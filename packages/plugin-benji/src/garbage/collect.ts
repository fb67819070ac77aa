import { createInterface } from 'node:readline/promises'
import type { RunContext } from '@holdfast/sdk'
import type { BackupConfig } from '../backup/options.ts'
import { count } from '../count.ts'
import { errors } from '../errors.ts'
import { createRbd } from '../rbd/create-rbd.ts'
import { formatImage } from '../rbd/image.ts'
import { imageLock } from '../rbd/image-lock.ts'
import { findGarbage, type Garbage } from './find.ts'

const meaning: Readonly<Record<Garbage['why'], string>> = {
  orphan: 'its volume is gone or no longer backed up',
  superseded: 'a newer snapshot has a good version',
  unknown: 'no version has it: perhaps of another installation, or made by hand',
}

const allowed = ['--adopt', '--yes', '--dry-run']

/**
 * `holdfast benji gc [--adopt] [--yes]`: lists snapshots that were left behind, and removes them once somebody says so.
 * Those that no version knows go with `--adopt` only.
 *
 * @returns 0; 1 when something could not be removed or nobody confirmed; 2 on wrong usage
 * @throws HoldfastError `BENJI_…`, `RBD_…`, and what the API said
 */
export async function collectGarbage(ctx: RunContext<BackupConfig>, args: readonly string[]): Promise<number> {
  const wrong = args.find((arg) => !allowed.includes(arg))
  if (wrong !== undefined) throw errors.GC_OPTION({ option: wrong, allowed: allowed.join(', ') })
  const adopt = args.includes('--adopt')
  const found = await findGarbage(ctx)
  const chosen = found.filter(({ why }) => adopt || why !== 'unknown')
  process.stdout.write(report(found, adopt))
  if (chosen.length === 0 || args.includes('--dry-run')) return 0
  if (!args.includes('--yes') && !(await confirmed(chosen.length))) {
    process.stdout.write('Nothing was removed.\n')
    return 1
  }
  const rbd = createRbd(ctx, ctx.config.engine)
  let failed = 0
  for (const { image, snapshot } of chosen) {
    try {
      await ctx.lock(imageLock(image), () => rbd.removeSnapshot(image, snapshot), { wait: '1m' })
      process.stdout.write(`removed ${formatImage(image)}@${snapshot}\n`)
    } catch (error) {
      if (ctx.signal.aborted) throw error
      failed++
      ctx.log.error(
        `${formatImage(image)}@${snapshot} was not removed: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
  return failed === 0 ? 0 : 1
}

function report(found: readonly Garbage[], adopt: boolean): string {
  if (found.length === 0) return 'There is nothing to remove.\n'
  const lines = found.map(
    ({ image, snapshot, why, volume }) =>
      `${formatImage(image)}@${snapshot}  ${volume ?? '-'}  ${meaning[why]}${why === 'unknown' && !adopt ? '; stays without --adopt' : ''}\n`,
  )
  return lines.join('')
}

async function confirmed(number: number): Promise<boolean> {
  if (!process.stdin.isTTY) throw errors.GC_UNCONFIRMED({ what: count(number, 'snapshot') })
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await reader.question(`Remove ${count(number, 'snapshot')} now? They can't be had back. [y/N] `)
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    reader.close()
  }
}
