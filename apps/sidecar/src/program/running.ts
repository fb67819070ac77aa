import type { Command } from 'commander'
import type { HistoryOptions } from '../commands/history.ts'
import type { RunOptions } from '../commands/run.ts'
import { collect, examples, type Bind } from './command.ts'

/** The commands that run plans, and show what ran. */
export function addRunningCommands(program: Command, bind: Bind): void {
  program.commandsGroup('Run:')
  program
    .command('daemon')
    .summary('run plans on their schedules')
    .description(
      'Runs plans on their schedules until it is told to stop. What an earlier process left frozen, locked or paused is given back first.',
    )
    .option(
      '--listen <address>',
      'where the status page, /api/v1, /metrics, /healthz and /readyz are: a port, or host:port; 0 is off (HOLDFAST_LISTEN; default: `metrics.listen`, else 9480)',
    )
    .option(
      '--api-token-file <file>',
      'who sends the token in this file may run and pause plans, and give back undos, through /api/v1 (HOLDFAST_API_TOKEN_FILE; default: nobody)',
    )
    .action(bind<[], object>(async (context) => (await import('../commands/daemon.ts')).runDaemonCommand(context)))
    .addHelpText(
      'after',
      examples(
        ['holdfast daemon', 'with the configuration of the working directory or /etc/holdfast'],
        ['holdfast daemon --listen 127.0.0.1:9480', 'metrics and probes for this host only'],
        ['kill -HUP PID', 'read the configuration again'],
        ['kill -TERM PID', 'stop: everything is given back first; once more hurries'],
      ),
    )
  program
    .command('run')
    .summary('run a plan once')
    .description('Runs a plan once, now. Its exit code is that of the run: 0 succeeded, 1 failed, 4 partial, 75 busy.')
    .argument('<plan>', 'name of the plan')
    .option('--target <id>', 'only this target; may be given more than once', collect)
    .option('--dry-run', 'validate, find targets and print what would be done; nothing is changed')
    .action(
      bind<[string], RunOptions>(async (context, plan, options) =>
        (await import('../commands/run.ts')).runRunCommand(context, plan, options),
      ),
    )
    .addHelpText(
      'after',
      examples(
        ['holdfast run shop', 'back up the plan "shop"'],
        ['holdfast run shop --target orders', 'only one of its targets'],
        ['holdfast run shop --dry-run', 'say what it would do'],
      ),
    )
  for (const [command, isPaused, summary, description] of [
    [
      'pause',
      true,
      'let the slots of a plan pass',
      'From now on the slots of this plan pass, until it is resumed: restarts of the daemon change nothing about it. What runs goes on, and it can be run by hand.',
    ],
    [
      'resume',
      false,
      'run a plan by its schedule again',
      'Takes `holdfast pause` back: from now on the plan runs by its schedule. What has passed meanwhile is not made up for.',
    ],
  ] as const) {
    program
      .command(command)
      .summary(summary)
      .description(description)
      .argument('<plan>', 'name of the plan')
      .action(
        bind<[string], object>(async (context, plan) =>
          (await import('../commands/pause.ts')).runPauseCommand(context, plan, { isPaused }),
        ),
      )
  }
  program
    .command('drill')
    .summary('prove that a backup can be restored')
    .description(
      'Restores a backup into a scratch place, looks whether it is what it should be, and removes it again. Its exit code is that of the drill: 0 succeeded, 1 failed, 75 busy; of several 1 if one of them failed.',
    )
    .argument('[drill]', 'name of the drill (default: all, one after the other)')
    .action(
      bind<[string | undefined], object>(async (context, drill) =>
        (await import('../commands/drill.ts')).runDrillCommand(context, drill),
      ),
    )
    .addHelpText(
      'after',
      examples(
        ['holdfast drill', 'every drill of the configuration'],
        ['holdfast drill shop-weekly --json', 'one of them, for a script'],
        ['holdfast history --drill shop-weekly', 'how it went before'],
      ),
    )
  program
    .command('history')
    .summary('show what ran')
    .description('Lists runs, newest first; or shows one: its hooks, its targets, and how long things stood still.')
    .argument('[run]', 'id of a run, or its beginning')
    .option('--plan <name>', 'only runs of this plan')
    .option('--drill <name>', 'only runs of this drill')
    .option('--limit <number>', 'at most so many runs (default: 20)', '20')
    .action(
      bind<[string | undefined], HistoryOptions>(async (context, run, options) =>
        (await import('../commands/history.ts')).runHistoryCommand(context, run, options),
      ),
    )
    .addHelpText(
      'after',
      examples(
        ['holdfast history --plan shop', 'the last runs of one plan'],
        ['holdfast history 20261123T0300', 'one run, with its hooks and undos'],
      ),
    )
}
