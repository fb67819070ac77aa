import { Command, Option } from 'commander'
import type { Io } from '../io.ts'
import { logFormats, logLevels } from '../settings.ts'
import { addCheckingCommands } from './checking.ts'
import { bindTo, examples, type Execute } from './command.ts'
import { addPluginCommand } from './plugin.ts'
import { addRestoringCommands } from './restoring.ts'
import { addRunningCommands } from './running.ts'
import { addSetUpCommands } from './set-up.ts'

/**
 * The whole command line. What a command does is imported when it runs.
 *
 * @param argv - what it is about to parse: a word that is no command may be a plugin's name
 */
export function createProgram(io: Pick<Io, 'stdout' | 'stderr'>, argv: readonly string[], execute: Execute): Command {
  const program = new Command('holdfast')
    .description('Application-consistent backups, written as typed hooks.')
    .usage('COMMAND [OPTIONS]')
    .addHelpCommand(new Command('help').argument('[command]').description('explain a command').helpGroup('Set up:'))
    .helpOption('-h, --help', 'explain the command')
    // bin/holdfast.js answers it before anything is loaded.
    .option('-V, --version', 'print the version')
    .configureHelp({ showGlobalOptions: true, optionDescription: ({ description }) => description })
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .exitOverride()
    .addHelpText(
      'after',
      examples(
        ['holdfast init', 'write a first configuration'],
        ['holdfast plan', 'see what would be backed up, without doing it'],
        ['holdfast run shop', 'back up once'],
        ['holdfast restore --plan shop --to ./restored', 'get the newest backup back'],
      ),
    )
  for (const option of globalOptions()) program.addOption(option)
  const bind = bindTo(execute)
  addRunningCommands(program, bind)
  addRestoringCommands(program, bind)
  addCheckingCommands(program, bind)
  addSetUpCommands(program, bind)
  addPluginCommand(program, argv, bind)
  return program
}

function globalOptions(): readonly Option[] {
  return [
    new Option(
      '--config <file>',
      'configuration: *.ts, *.js, *.yaml or crontab (HOLDFAST_CONFIG; default: looked for)',
    ),
    new Option(
      '--state-dir <directory>',
      'journal, locks, variables (HOLDFAST_STATE_DIR; default: /var/lib/holdfast, else the XDG state directory)',
    ),
    new Option('--storage <url>', 'artifact store, in place of the configured one (HOLDFAST_STORAGE)'),
    new Option('--log-level <level>', 'debug, info, warn, error or silent (HOLDFAST_LOG_LEVEL; default: info)').choices(
      logLevels,
    ),
    new Option('--log-format <format>', 'pretty or json (HOLDFAST_LOG_FORMAT; default: pretty on a terminal)').choices(
      logFormats,
    ),
    new Option('--json', 'answer in JSON'),
    new Option(
      '--shutdown-grace <duration>',
      'time to give everything back when told to stop (HOLDFAST_SHUTDOWN_GRACE; default: 25s)',
    ),
  ]
}
