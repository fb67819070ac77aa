import type { Command } from 'commander'
import type { CommandContext } from '../context.ts'
import type { GlobalOptions } from '../settings.ts'

/** Runs a command's body with the context that its global options ask for. */
export type Execute = (
  command: string,
  options: GlobalOptions,
  body: (context: CommandContext) => Promise<number>,
) => Promise<void>

/** What commander calls; everything that the command needs is imported only then. */
export type Action = (...args: unknown[]) => Promise<void>

/** Turns the body of a command into what commander calls. */
export type Bind = <Args extends readonly unknown[], Options>(
  body: (context: CommandContext, ...args: [...Args, Options]) => Promise<number>,
) => Action

/** A {@link Bind} for one program. */
export function bindTo(execute: Execute): Bind {
  return (body) =>
    async (...all) => {
      // Commander hands over the arguments, the options and the command.
      const command = all.at(-1) as Command
      const handed = [...all.slice(0, -2), command.opts()]
      const call = body as (context: CommandContext, ...handed: unknown[]) => Promise<number>
      await execute(pathOf(command), command.optsWithGlobals<GlobalOptions>(), (context) => call(context, ...handed))
    }
}

/** `undo run`: below another command, the same name means something else. */
function pathOf(command: Command): string {
  const above = command.parent?.parent ? `${pathOf(command.parent)} ` : ''
  return `${above}${command.name()}`
}

/** The examples below a command's help. */
export function examples(...lines: readonly (readonly [command: string, meaning: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length))
  return ['', 'Examples:', ...lines.map(([command, meaning]) => `  $ ${command.padEnd(width)}  ${meaning}`)].join('\n')
}

/** Gathers the values of an option that may be given more than once. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}
