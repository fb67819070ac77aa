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
    .summary('see what can be restored, and get it back')
    .description(
      'Without an id and without --to: lists what can be restored, with its age and size. With --to: restores the newest backup of a plan and target, the newest at or before a time, or the one named, by the plugin that made it where the configuration has it, else as files. It looks first (place, free space, programs, key), and changes nothing where something is in the way. Nothing that is there is overwritten without --force. With --storage it needs nothing but the store and the key.',
    )
    .argument(
      '[backup]',
      'id of a backup, of one of its artifacts, or of what a plugin keeps, as the list shows it; its beginning is enough',
    )
    .option('--plan <name>', 'of this plan')
    .option('--target <id>', 'of this target')
    .option(
      '--at <time>',
      'as it was then: the newest that was complete at or before 2026-11-20T03:00 (in --time-zone), 2026-11-20T03:00Z or 2026-11-20T03:00+01:00; a date alone is its midnight',
    )
    .option('--time-zone <zone>', "of --at and of times shown, such as Europe/Berlin (default: this machine's, see TZ)")
    .option(
      '--to <place>',
      'a file, a directory (ending in /), - for standard output, or key=value for the plugin; more than once',
      collect,
    )
    .option('--dry-run', 'look whether it can be restored, and say what would be done')
    .option('--force', 'overwrite what is there')
    .option('--ignore-space', 'do not look whether there is room: file systems that compress hold more than they say')
    .option('--bytes', 'write the bytes to --to, also where a plugin knows how to restore them')
    .option('--instance <name>', 'whose artifacts (default: as configured, else all)')
    .option('--identity <file>', 'age identity, to read encrypted artifacts')
    .action(
      bind<[string | undefined], RestoreOptions>(async (context, backup, options) =>
        (await import('../commands/restore.ts')).runRestoreCommand(context, backup, options),
      ),
    )
    .addHelpText(
      'after',
      examples(
        ['holdfast restore', 'what there is'],
        ['holdfast restore --plan shop --to ./restored/', 'the newest backup'],
        ['holdfast restore --plan shop --at 2026-11-20T03:00 --to ./restored/', 'as it was at three that night'],
        ['holdfast restore 20261123T0200 --to ./restored/ --dry-run', 'one of the list; looks only'],
        ['holdfast restore 20261123T0200/orders.sql --to - | psql shop', 'one file of it, into a pipe'],
        ['holdfast restore --storage s3://backups/shop --identity key.txt', 'with nothing but the store and the key'],
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
