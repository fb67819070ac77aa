import { Option, type Command } from 'commander'
import type { HealthOptions } from '../commands/health.ts'
import type { ScheduleOptions } from '../commands/schedule.ts'
import type { UndoDropOptions, UndoRunOptions } from '../commands/undo.ts'
import { examples, type Bind } from './command.ts'

/** The commands that look at things before or after they go wrong. */
export function addCheckingCommands(program: Command, bind: Bind): void {
  program.commandsGroup('Check:')
  program
    .command('validate')
    .summary('check the configuration and everything it uses')
    .description(
      'Checks the configuration, its schedules, plugins and scripts, and prints every problem at once. Changes nothing.',
    )
    .action(bind<[], object>(async (context) => (await import('../commands/validate.ts')).runValidateCommand(context)))
  program
    .command('plan')
    .summary('show what would be backed up')
    .description(
      'Validates, finds targets, and prints per target the steps of a run and what retention would remove. Changes nothing.',
    )
    .argument('[plan]', 'name of the plan (default: all)')
    .action(
      bind<[string | undefined], object>(async (context, plan) =>
        (await import('../commands/plan.ts')).runPlanCommand(context, plan),
      ),
    )
  program
    .command('explain')
    .summary('show the hooks of a plan in their order')
    .description(
      'Prints the hooks of a plan in the order of a run: who takes part, how long it may take, what its failure means.',
    )
    .argument('[plan]', 'name of the plan (default: all)')
    .action(
      bind<[string | undefined], object>(async (context, plan) =>
        (await import('../commands/explain.ts')).runExplainCommand(context, plan),
      ),
    )
  program
    .command('schedule')
    .summary('show when plans run next')
    .description('Prints the next fire times of every plan, and what happens when the clocks change.')
    .option('--count <number>', 'so many per plan (default: 5)', '5')
    .action(
      bind<[], ScheduleOptions>(async (context, options) =>
        (await import('../commands/schedule.ts')).runScheduleCommand(context, options),
      ),
    )
  program
    .command('health')
    .summary('ask the daemon how it is')
    .description(
      'Asks the daemon of this state directory how it is, and prints one line. Exits with 0 or 1: for exec probes, which so ask the process of their own pod.',
    )
    // bin/health.js answers them before anything is loaded.
    .addOption(new Option('--live', 'whether it answers').conflicts('ready'))
    .option('--ready', 'whether it is ready, and if not, why not (the default)')
    .action(
      bind<[], HealthOptions>(async (context, options) =>
        (await import('../commands/health.ts')).runHealthCommand(context, options),
      ),
    )
  program
    .command('doctor')
    .summary('check this installation')
    .description(
      'Checks Node, the configuration, the state directory, the journal, the store, pending undos, the daemon, the cluster and what it allows, and time zone data.',
    )
    .action(bind<[], object>(async (context) => (await import('../commands/doctor.ts')).runDoctorCommand(context)))
  addUndoCommands(program, bind)
  addNotifyCommands(program, bind)
}

function addNotifyCommands(program: Command, bind: Bind): void {
  const notify = program
    .command('notify')
    .summary('try whether people would be told')
    .description('Tries whether those who are named in the configuration below `notify` can be told.')
    .helpCommand(false)
  notify
    .command('test')
    .description('send a message that says that it is a test; exits with 1 if somebody did not take it')
    .argument('[name]', 'name of a notifier (default: all)')
    .action(
      bind<[string | undefined], object>(async (context, name) =>
        (await import('../commands/notify.ts')).runNotifyTestCommand(context, name),
      ),
    )
  notify.addHelpText(
    'after',
    examples(['holdfast notify test', 'everybody'], ['holdfast notify test slack --json', 'one of them, for a script']),
  )
}

function addUndoCommands(program: Command, bind: Bind): void {
  const undo = program
    .command('undo')
    .summary('give back what an interrupted run has taken')
    .description(
      'Shows and runs undos that are pending: what was frozen, locked or paused by a run that could not give it back.',
    )
    .helpCommand(false)
  undo
    .command('list')
    .description('list pending undos')
    .action(bind<[], object>(async (context) => (await import('../commands/undo.ts')).runUndoListCommand(context)))
  undo
    .command('run')
    .description('run pending undos now')
    .argument('[id...]', 'ids, or their beginnings')
    .option('--all', 'every pending undo')
    .option('--force', 'also those of runs that may still be going on: such a run fails')
    .option('--yes', 'do not ask')
    .action(
      bind<[readonly string[]], UndoRunOptions>(async (context, ids, options) =>
        (await import('../commands/undo.ts')).runUndoRunCommand(context, ids, options),
      ),
    )
  undo
    .command('drop')
    .description('forget a pending undo, because it was done by hand')
    .argument('<id>', 'id, or its beginning')
    .option('--yes', 'do not ask')
    .action(
      bind<[string], UndoDropOptions>(async (context, id, options) =>
        (await import('../commands/undo.ts')).runUndoDropCommand(context, id, options),
      ),
    )
  undo.addHelpText(
    'after',
    examples(
      ['holdfast undo list', 'what is still taken'],
      ['holdfast undo run --all', 'give everything back now'],
      ['holdfast undo drop 3f9a1c', 'it was thawed by hand'],
    ),
  )
}
