import { createInterface } from 'node:readline/promises'
import type { RunContext } from '@holdfast/sdk'
import type { BackupConfig } from '../backup/options.ts'
import { createBenji } from '../benji/create-benji.ts'
import { count } from '../count.ts'
import { errors } from '../errors.ts'
import { createRbd } from '../rbd/create-rbd.ts'
import { formatImage } from '../rbd/image.ts'
import { imageLock } from '../rbd/image-lock.ts'
import { garbageOf, lookAround, type Surroundings } from './find.ts'
import type { Garbage } from './judge.ts'

const meaning: Readonly<Record<Garbage['why'], string>> = {
  orphan: 'its claim is gone',
  superseded: 'a newer snapshot has a good version',
  unknown: 'no version has it: perhaps of another installation, or made by hand',
  other: 'a version of another installation has it, which may count from it',
  unfinished: 'a version that is incomplete has it: it is being made, or was left behind; stays',
  elsewhere: 'its volume is not of this plan: perhaps of another, or no longer backed up; stays',
}

const withAdopt: ReadonlySet<Garbage['why']> = new Set(['unknown', 'other'])
const never: ReadonlySet<Garbage['why']> = new Set(['unfinished', 'elsewhere'])

const allowed = ['--adopt', '--yes', '--dry-run']

/**
 * `holdfast benji gc [--adopt] [--yes]`: lists snapshots that were left behind, and removes them once somebody says so.
 * Those that no version of ours knows go with `--adopt` only.
 *
 * @returns 0; 1 when something could not be removed or nobody confirmed; 2 on wrong usage
 * @throws HoldfastError `BENJI_…`, `RBD_…`, and what the API said
 */
export async function collectGarbage(ctx: RunContext<BackupConfig>, args: readonly string[]): Promise<number> {
  const wrong = args.find((arg) => !allowed.includes(arg))
  if (wrong !== undefined) throw errors.GC_OPTION({ option: wrong, allowed: allowed.join(', ') })
  const adopt = args.includes('--adopt')
  const around = await lookAround(ctx)
  const found: Garbage[] = []
  for (const image of around.images) {
    ctx.signal.throwIfAborted()
    found.push(...(await garbageOf(ctx, image, around.owners, async () => around.versions)))
  }
  const isChosen = ({ why }: Garbage): boolean => !never.has(why) && (adopt || !withAdopt.has(why))
  const chosen = found.filter(isChosen)
  process.stdout.write(report(found, adopt))
  if (chosen.length === 0 || args.includes('--dry-run')) return 0
  if (!args.includes('--yes') && !(await confirmed(chosen.length))) {
    process.stdout.write('Nothing was removed.\n')
    return 1
  }
  let failed = 0
  for (const [path, those] of Map.groupBy(chosen, ({ image }) => formatImage(image))) {
    try {
      failed += await remove(ctx, around, those, isChosen)
    } catch (error) {
      if (ctx.signal.aborted) throw error
      failed++
      ctx.log.error(`no snapshot of ${path} was removed: ${reasonOf(error)}`)
    }
  }
  return failed === 0 ? 0 : 1
}

/**
 * Removes snapshots of one image that are still of no use: a backup may have made one of them its base since they were
 * listed.
 *
 * @returns how many could not be removed
 */
async function remove(
  ctx: RunContext<BackupConfig>,
  { owners }: Surroundings,
  chosen: readonly Garbage[],
  isChosen: (garbage: Garbage) => boolean,
): Promise<number> {
  const [first] = chosen
  if (!first) return 0
  const { image } = first
  const { engine } = ctx.config
  const rbd = createRbd(ctx, engine)
  const look = async (): Promise<number> => {
    const still = (await garbageOf(ctx, image, owners, () => createBenji(ctx, engine).ls())).filter(isChosen)
    let failed = 0
    for (const { snapshot } of chosen) {
      const spec = `${formatImage(image)}@${snapshot}`
      if (!still.some((garbage) => garbage.snapshot === snapshot)) {
        process.stdout.write(`${spec} is gone or needed by now\n`)
        continue
      }
      try {
        await rbd.removeSnapshot(image, snapshot)
        process.stdout.write(`removed ${spec}\n`)
      } catch (error) {
        if (ctx.signal.aborted) throw error
        failed++
        ctx.log.error(`${spec} was not removed: ${reasonOf(error)}`)
      }
    }
    return failed
  }
  return ctx.lock(imageLock(image), look, { wait: '1m' })
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function report(found: readonly Garbage[], adopt: boolean): string {
  if (found.length === 0) return 'There is nothing to remove.\n'
  const lines = found.map(
    ({ image, snapshot, why, volume }) =>
      `${formatImage(image)}@${snapshot}  ${volume ?? '-'}  ${meaning[why]}${withAdopt.has(why) && !adopt ? '; stays without --adopt' : ''}\n`,
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
