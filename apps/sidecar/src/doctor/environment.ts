import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { CommandContext } from '../context.ts'
import { commandDirectory } from '../modules.ts'
import { formatTime } from '../output/format.ts'
import { ok, problem, warning, type Finding } from './check.ts'

/** Node itself. */
export function checkNode(): readonly Finding[] {
  return [ok('node', `${process.version} on ${process.platform} ${process.arch}`)]
}

/** Whether times mean what people think they mean. */
export function checkTime({ io }: CommandContext): readonly Finding[] {
  const zones = Intl.supportedValuesOf('timeZone').length
  if (zones < 10) {
    const hint = 'Plans in any zone but UTC would run at the wrong time. Use an image with tzdata.'
    return [problem('time zones', 'there is no time zone data', hint)]
  }
  const zone = io.env['TZ'] || Intl.DateTimeFormat().resolvedOptions().timeZone
  return [ok('time zones', `${zones} known; here it is ${formatTime(io.clock.now())} in ${zone}`)]
}

/** The commands that scripts call. */
export function checkCommands({ io }: CommandContext): readonly Finding[] {
  const directories = [...(io.env['PATH'] ?? '').split(delimiter), commandDirectory].filter((part) => part !== '')
  const missing = ['sh', 'save_var', 'load_var', 'save_artifact'].filter(
    (name) => !directories.some((directory) => isExecutable(join(directory, name))),
  )
  if (missing.length === 0) return [ok('commands', 'sh, save_var, load_var and save_artifact are there')]
  const hint = 'Scripts that call them fail. They come with Holdfast: put its bin directory on PATH.'
  return [warning('commands', `not found: ${missing.join(', ')}`, hint)]
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
