import { accessSync, constants, existsSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { reasonOf } from '@holdfast/runtime'
import { defaultScriptsPath } from '../environment.ts'

/** BusyBox's crontab of root. */
export const defaultCronPath = '/etc/crontabs/root'

/** What to write where. */
export interface WriteCrontabOptions {
  readonly schedule: string
  /** Absolute. */
  readonly scriptsPath: string
  /** `undefined`: the default, where it can be written. */
  readonly cronPath: string | undefined
  readonly cwd: string
}

/** What came of it; without an error all is well. */
export interface WrittenCrontab {
  readonly message?: string | undefined
  readonly error?: string | undefined
}

/**
 * Writes the crontab that lets a cron daemon run `fridge -r`. A crontab that was asked for must be written; the default
 * one is written only where there is such a thing, because Holdfast's own daemon needs none.
 */
export function writeCrontab({ schedule, scriptsPath, cronPath, cwd }: WriteCrontabOptions): WrittenCrontab {
  const file = resolve(cwd, cronPath ?? defaultCronPath)
  if (cronPath === undefined && !isWritable(file)) {
    return {
      message: `No crontab was written: ${file} can't be. \`holdfast daemon\` needs none; for another cron say -c PATH`,
    }
  }
  try {
    writeFileSync(file, crontabText(schedule, scriptsPath))
    return { message: `Wrote ${file}` }
  } catch (error) {
    if (cronPath === undefined) return { message: `No crontab was written: ${reasonOf(error)}` }
    return { error: `The crontab ${file} could not be written: ${reasonOf(error)}` }
  }
}

/** The crontab's text: a path that isn't the default is carried on, so that the run looks where the check looked. */
export function crontabText(schedule: string, scriptsPath: string): string {
  const path = scriptsPath === defaultScriptsPath ? '' : ` -csp ${quote(scriptsPath)}`
  return `${schedule} fridge -r${path}\n# This file must end in a newline.\n`
}

/** For the shell that cron calls; before it, cron itself takes a percent sign as a line break. */
function quote(path: string): string {
  const word = /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`
  return word.replaceAll('%', String.raw`\%`)
}

function isWritable(file: string): boolean {
  try {
    accessSync(existsSync(file) ? file : dirname(file), constants.W_OK)
    return true
  } catch {
    return false
  }
}
