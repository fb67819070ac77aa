import type { Command } from 'commander'
import type { Bind } from './command.ts'

/**
 * `holdfast PLUGIN COMMAND …`. Which plugins there are is in the configuration, which is read only if somebody names a
 * command that isn't one of ours.
 */
export function addPluginCommand(program: Command, argv: readonly string[], bind: Bind): void {
  const builtin = program.commands.map((command) => command.name())
  const word = firstWord(program, argv)
  if (word === undefined || [...builtin, 'help'].includes(word)) return
  program
    .command(word, { hidden: true })
    .argument('[words...]')
    .helpOption(false)
    // They are the plugin's.
    .allowUnknownOption()
    .action(
      bind<[readonly string[]], object>(async (context, words) =>
        (await import('../commands/plugin.ts')).runPluginCommandLine(context, word, words, builtin),
      ),
    )
}

/** The first word that is neither an option nor the value of one. */
function firstWord(program: Command, argv: readonly string[]): string | undefined {
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] as string
    if (!word.startsWith('-')) return word
    const option = program.options.find(({ short, long }) => short === word || long === word)
    if (option?.required === true) index++
  }
  return undefined
}
