import { Option, type Command } from 'commander'
import type { GenerateKubernetesOptions, GenerateRbacOptions } from '../commands/generate.ts'
import type { GenerateMonitoringOptions } from '../commands/generate-monitoring.ts'
import { version } from '../version.ts'
import { collect, examples, type Bind } from './command.ts'

/** The commands that print files for other tools. */
export function addGenerateCommands(program: Command, bind: Bind): void {
  const generate = program
    .command('generate')
    .summary('print manifests for Kubernetes, rights, alerts, a schema')
    .description(
      'Prints manifests for Kubernetes, the rights that a configuration needs, its alerts, a dashboard, or the schema of holdfast.yaml.',
    )
    .helpCommand(false)
  const kubernetes = generate
    .command('kubernetes')
    .summary('manifests that run Holdfast in a cluster')
    .description(
      'Prints what runs Holdfast beside an application, or as CronJobs: the scripts and the configuration as ConfigMaps, an account with the least rights, and the pod. Secrets are referred to, never written.',
    )
    .addOption(
      new Option(
        '--form <form>',
        'sidecar: an init container that goes on; container: a plain one; cronjob: a CronJob per plan; kustomize: a component (default: sidecar)',
      )
        .choices(['sidecar', 'container', 'cronjob', 'kustomize'])
        .default('sidecar'),
    )
    .option(
      '--workload <kind/name>',
      'what the sidecar is added to, such as deployment/shop (default: deployment/change-me, to be changed)',
      'deployment/change-me',
    )
  addAccountOptions(kubernetes)
    .option(
      '--image <image>',
      `image of Holdfast, where you have pushed it (default: holdfast:${version})`,
      `holdfast:${version}`,
    )
    .option('--target-container <name>', 'container of the same pod that kubectlexec runs its commands in')
    .option('--secret <name>', 'a Secret of yours, mounted at /secrets')
    .option('--secret-env <variable>', 'a variable that comes from that Secret; may be given more than once', collect)
    .option('--storage-claim <name>', 'a volume for a store that is a directory (default: <name>-backups)')
    .option('--state-claim <name>', 'a volume for the state (default: an emptyDir, which lives as long as the pod)')
    .option('--config-in-image', 'the image has the configuration and the scripts: make no ConfigMaps of them')
    .option('--root', 'run as root, for scripts in install_dependencies that install packages')
    .option('--monitoring', 'a PodMonitor, and annotations for a Prometheus without the operator')
    .option('--readiness-probe', 'while backups could not run, the pod is not ready, and its Services leave it out')
    .option('--output <directory>', 'where the kustomize component goes')
    .action(
      bind<[], GenerateKubernetesOptions>(async (context, options) =>
        (await import('../commands/generate.ts')).runGenerateKubernetesCommand(context, options),
      ),
    )
    .addHelpText(
      'after',
      examples(
        [
          'holdfast generate kubernetes --workload deployment/shop > sidecar.yaml',
          'with the configuration that is here',
        ],
        ["holdfast generate kubernetes --schedule '0 3 * * *' --scripts scripts", 'script directories alone'],
        ['holdfast generate kubernetes --form cronjob --storage file:///backups', 'a CronJob for each plan'],
        ['holdfast generate kubernetes --form kustomize --output backup', 'a kustomize component'],
      ),
    )
  const rbac = generate
    .command('rbac')
    .summary('the rights that a configuration needs')
    .description(
      'Prints the least Role, and ClusterRole where one is needed, from what plugins, hooks and scripts declare, with the reason for each rule.',
    )
  addAccountOptions(rbac)
    .action(
      bind<[], GenerateRbacOptions>(async (context, options) =>
        (await import('../commands/generate.ts')).runGenerateRbacCommand(context, options),
      ),
    )
    .addHelpText(
      'after',
      examples(['holdfast generate rbac --namespace shop --service-account shop', 'for an account that is there']),
    )
  generate
    .command('monitoring')
    .summary('alerts for a configuration, a dashboard')
    .description(
      'Prints alerts for Prometheus: how old the last success of each plan and drill may be comes from its schedule. Or the dashboard for Grafana.',
    )
    .addOption(
      new Option(
        '--form <form>',
        'rules: a file for rule_files; prometheusrule: an object of the Prometheus operator; dashboard: JSON for Grafana (default: rules)',
      )
        .choices(['rules', 'prometheusrule', 'dashboard'])
        .default('rules'),
    )
    .option('--runbook-url <url>', "a page with your runbooks; an alert's name in lower case is its anchor")
    .option('--name <name>', 'the object and the group of rules (default: holdfast)', 'holdfast')
    .option('--namespace <namespace>', 'namespace of the object')
    .option('--label <key=value>', 'a label by which Prometheus finds it; may be given more than once', collect)
    .action(
      bind<[], GenerateMonitoringOptions>(async (context, options) =>
        (await import('../commands/generate-monitoring.ts')).runGenerateMonitoringCommand(context, options),
      ),
    )
    .addHelpText(
      'after',
      examples(
        ['holdfast generate monitoring > holdfast.rules.yaml', 'for rule_files of Prometheus'],
        ['holdfast generate monitoring --form dashboard > holdfast.json', 'to be imported into Grafana'],
      ),
    )
  generate
    .command('schema')
    .description('the JSON Schema of holdfast.yaml, for editors')
    .action(
      bind<[], object>(async (context) => (await import('../commands/generate.ts')).runGenerateSchemaCommand(context)),
    )
}

function addAccountOptions(command: Command): Command {
  return command
    .option('--name <name>', 'the container, and the beginning of every name (default: holdfast)', 'holdfast')
    .option(
      '--namespace <namespace>',
      "namespace of the objects (default: the one they are applied to: that of kubectl's context, or -n)",
    )
    .option('--service-account <name>', 'an account that is there already (default: one is made)')
    .option('--schedule <cron>', 'when script directories run, where no configuration says so')
    .option('--scripts <directory>', 'the scripts that are in /scripts in the container (HOLDFAST_SCRIPTS)')
}
