import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-codes.ts'
import { commandDirectory } from '../modules.ts'
import type { NotReadyReason } from '../daemon/status.ts'

/** Options of `holdfast health`. */
export interface HealthOptions {
  readonly live?: boolean | undefined
  readonly ready?: boolean | undefined
}

/** bin/health.js: it answers probes without this bundle. */
interface Health {
  ask(
    options: { readonly question: 'live' | 'ready'; readonly stateDirectory: string },
    done: (answer: {
      readonly code: 0 | 1
      readonly line: string
      readonly reasons: readonly NotReadyReason[]
    }) => void,
  ): void
}

/** `holdfast health`: asks the daemon of this state directory how it is. */
export async function runHealthCommand(context: CommandContext, { live }: HealthOptions): Promise<number> {
  const { settings } = context
  const question = live ? 'live' : 'ready'
  const health = createRequire(import.meta.url)(join(commandDirectory, 'health.js')) as Health
  const { code, line, reasons } = await new Promise<Parameters<Parameters<Health['ask']>[1]>[0]>((resolve) =>
    health.ask({ question, stateDirectory: settings.stateDirectory }, resolve),
  )
  if (settings.json) context.printJson({ [question]: code === 0, message: line, reasons })
  else if (code === 0) context.print(`${line}\n`)
  else context.screen.write(`${context.redactor.text(line)}\n`)
  return code === 0 ? exitCode.ok : exitCode.failed
}
