import type { Command } from 'commander'
import type { ListOptions } from '../commands/list.ts'
import type { RestoreOptions } from '../commands/restore.ts'
import type { VerifyOptions } from '../commands/verify.ts'
import type { AcceptOptions } from '../commands/accept.ts'
import { collect, examples, type Bind } from './command.ts'

/** The commands that read the store; they need nothing but its address. */
export function addRestoringCommands(program: Command, bind: Bind): void {
  program.commandsGroup('Restore:')
  program
    .command('list')
    .summary('list what can be restored')
    .description(
      'Lists the artifacts of the store, newest first, and what plugins of the configuration keep elsewhere, such as versions of Benji. With --storage it needs nothing but the store: no configuration, no journal, no cluster.',
    )
    .option('--plan <name>', 'only artifacts of this plan')
    .option('--target <id>', 'only artifacts of this target')
    .option('--instance <name>', 'whose artifacts (default: as configured, else all)')
    .action(
      bind<[], ListOptions>(async (context, options) =>
        (await import('../commands/list.ts')).runListCommand(context, options),
      ),
    )
    .addHelpText(
      'after',
      examples(
        ['holdfast list --plan shop', 'what there is of one plan'],
        ['holdfast list --storage file:///mnt/backups', 'on a machine that has only the store'],
      ),
    )
  program
    .command('verify')
    .summary('read artifacts back and check their digests')
    .description(
      'Reads artifacts back from the store, and compares every byte with the digest of the day they were made.',
    )
    .argument('[artifact...]', 'ids, or their beginnings')
    .option('--all', 'every artifact')
    .option('--plan <name>', 'the artifacts of this plan')
    .option('--target <id>', 'the artifacts of this target')
    .option('--instance <name>', 'whose artifacts (default: as configured, else all)')
    .option('--identity <file>', 'age identity, to read encrypted artifacts')
    .action(
      bind<[readonly string[]], VerifyOptions>(async (context, artifacts, options) =>
        (await import('../commands/verify.ts')).runVerifyCommand(context, artifacts, options),
      ),
    )
    .addHelpText(
      'after',
      examples(['holdfast verify --all', 'the whole store'], ['holdfast verify --plan shop', 'one plan']),
    )
  program
    .command('restore')
    .summary('get a backup back')
    .description(
      'Restores one artifact or version, or the newest of a plan and target, by the plugin that made it where the configuration has it, else as a file. Nothing that is there already is overwritten without --force.',
    )
    .argument('[artifact]', 'id of an artifact or of a version, or its beginning')
    .option('--plan <name>', 'of this plan')
    .option('--target <id>', 'of this target')
    .option('--at <time>', 'as it was then: the newest before this time (ISO 8601)')
    .requiredOption(
      '--to <place>',
      'a file, a directory (ending in /), or key=value for the plugin; more than once',
      collect,
    )
    .option('--force', 'overwrite what is there')
    .option('--bytes', 'write the bytes to --to, also where a plugin knows how to restore them')
    .option('--instance <name>', 'whose artifacts (default: as configured, else all)')
    .option('--identity <file>', 'age identity, to read encrypted artifacts')
    .action(
      bind<[string | undefined], RestoreOptions>(async (context, artifact, options) =>
        (await import('../commands/restore.ts')).runRestoreCommand(context, artifact, options),
      ),
    )
    .addHelpText(
      'after',
      examples(
        ['holdfast restore --plan shop --to ./restored/', 'the newest backup'],
        ['holdfast restore --plan shop --at 2026-11-20T12:00 --to ./restored/', 'as it was at noon that day'],
        ['holdfast restore shop/orders/20261123 --to ./orders.db --force', 'one artifact, over a file that is there'],
      ),
    )
  program
    .command('accept')
    .summary('accept an artifact that is suspiciously small')
    .description('Says that the size of a suspect artifact is right. Its target is pruned again from then on.')
    .argument('<artifact>', 'id, or its beginning')
    .option('--instance <name>', 'whose artifacts (default: as configured, else all)')
    .action(
      bind<[string], AcceptOptions>(async (context, artifact, options) =>
        (await import('../commands/accept.ts')).runAcceptCommand(context, artifact, options),
      ),
    )
}
