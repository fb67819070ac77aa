import { Argument, Option, type Command } from 'commander'
import type { InitOptions } from '../commands/init.ts'
import type { UninstallOptions } from '../commands/uninstall.ts'
import { shells, type Shell } from '../completion.ts'
import { examples, type Bind } from './command.ts'
import { addGenerateCommands } from './generating.ts'

/** The commands for the first day. */
export function addSetUpCommands(program: Command, bind: Bind): void {
  program.commandsGroup('Set up:')
  program
    .command('init')
    .summary('write a first configuration')
    .description('Writes a commented configuration and an example hook into a directory. Never overwrites a file.')
    .argument('[directory]', 'where to write (default: the working directory)')
    .addOption(
      new Option('--form <form>', 'what to write it in: ts or yaml (default: ts)')
        .choices(['ts', 'yaml'])
        .default('ts'),
    )
    .action(
      bind<[string | undefined], InitOptions>(async (context, directory, options) =>
        (await import('../commands/init.ts')).runInitCommand(context, directory, options),
      ),
    )
  addGenerateCommands(program, bind)
  program
    .command('uninstall')
    .summary('delete workloads of Holdfast, and wait for their undos')
    .description(
      'Deletes Deployments or CronJobs that run Holdfast in this namespace, waits until their pods have given back what they have taken and are gone, and says what is still pending. The chart runs it before `helm uninstall` takes the rights away. Backups are not touched.',
    )
    .argument('<workload...>', 'deployment/NAME or cronjob/NAME')
    .requiredOption('--selector <labels>', 'their pods, as kubectl selects them')
    .option(
      '--timeout <duration>',
      'how long to wait; then it fails, and says which pods are left (default: 90s)',
      '90s',
    )
    .action(
      bind<[readonly string[]], UninstallOptions>(async (context, workloads, options) =>
        (await import('../commands/uninstall.ts')).runUninstallCommand(context, workloads, options),
      ),
    )
    .addHelpText(
      'after',
      examples([
        'holdfast uninstall deployment/shop-holdfast --selector app.kubernetes.io/instance=shop',
        'stop it in order',
      ]),
    )
  program
    .command('completion')
    .summary('print a completion script for a shell')
    .description('Prints a script that completes commands and options in your shell.')
    .addArgument(new Argument('<shell>', 'your shell').choices(shells))
    .action(
      bind<[Shell], object>(async (context, shell) => {
        const { completionScript } = await import('../completion.ts')
        context.print(completionScript(program, shell))
        return 0
      }),
    )
    .addHelpText(
      'after',
      examples(
        ['source <(holdfast completion bash)', 'for this shell'],
        ['holdfast completion fish > ~/.config/fish/completions/holdfast.fish', 'for good'],
      ),
    )
}
