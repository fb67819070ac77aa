import { scriptDirectories } from '../../../packages/plugin-scripts/src/hooks.ts'
import { group, listOf, mapOf, objectOf, oneOf, parts, text, type Values } from '../value.ts'

/** A key of a ConfigMap, which becomes the name of a file. */
const fileName = { type: 'string', pattern: String.raw`^[-._a-zA-Z0-9]+$` }
// As a pattern, not as names of properties: then a message says where.
const filesByName = {
  type: 'object',
  patternProperties: { [fileName.pattern]: { type: 'string' } },
  additionalProperties: false,
}
const directory = { enum: scriptDirectories }

/** What runs, from which image, and what it is to do. */
export const planValues: Values = {
  mode: oneOf(
    ['deployment', 'cronjob', 'sidecar'],
    'What the chart makes. deployment runs the daemon, for a namespace or a whole cluster. cronjob makes a CronJob per ' +
      'plan and drill. sidecar runs nothing: it keeps what a sidecar of another workload needs, and a patch that adds it there.',
    'deployment',
  ),
  nameOverride: text("Replaces the chart's name in names and labels."),
  fullnameOverride: text('The name of every object, in place of one made from the release.'),
  commonLabels: {
    description: 'Labels for every object.',
    schema: mapOf({ type: 'string' }),
    default: {},
  },
  image: group('The image.', {
    repository: text('Where you have pushed it.', { default: 'holdfast' }),
    tag: text("Which version. Default: the chart's appVersion."),
    digest: text('Such as sha256:…; wins over the tag.', {
      schema: { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' },
    }),
    pullPolicy: oneOf(['Always', 'IfNotPresent', 'Never'], 'When it is fetched.', 'IfNotPresent'),
  }),
  imagePullSecrets: parts('V1LocalObjectReference', 'Secrets for fetching it, as [{ name: … }].'),
  config: {
    description:
      'The configuration: exactly a holdfast.yaml. A change comes into force without a restart. In mode deployment, ' +
      'replicas is leader unless it says otherwise. It ends up in a ConfigMap: secrets are references in it.',
    schema: { $ref: '#/definitions/configuration' },
    example: `
storage: file:///backups
plans:
  shop:
    schedule: { cron: '0 3 * * *', timeZone: Europe/Berlin }
    use:
      - '@holdfast/plugin-scripts#scripts': { path: /scripts }
    retention: { latest: 3, days: 14 }
`,
  },
  configFrom: {
    description:
      'A configuration that is kept elsewhere, in place of config: a ConfigMap of this namespace, and which of its ' +
      'keys is the configuration. The others are files beside it.',
    schema: objectOf({ configMap: { type: 'string', minLength: 1 }, key: fileName }, ['configMap']),
    example: '{ configMap: my-holdfast, key: holdfast.config.ts }',
  },
  files: {
    description:
      'Files beside the configuration, name → text: hook modules, which a plan uses as ./name, and what drills expect. ' +
      'With a crontab or a ' +
      'holdfast.config.ts here, config may be left out.',
    schema: filesByName,
    default: {},
    example: `
report.ts: |
  import { defineHook } from '@holdfast/sdk'
  export default defineHook('onFinish', ({ outcome, log }) => log.info(outcome.status))
`,
  },
  scripts: group('Directories of scripts, mounted below /scripts.', {
    directories: {
      description: 'Scripts by directory and name; each directory becomes a ConfigMap.',
      schema: objectOf(
        Object.fromEntries(
          scriptDirectories.map((name) => [name, { description: `What is in /scripts/${name}.`, ...filesByName }]),
        ),
      ),
      default: {},
      example: `
backups:
  10-dump: |
    #!/bin/sh
    pg_dump --format custom shop | save_artifact shop.dump
`,
    },
    configMaps: {
      description: 'ConfigMaps of yours that hold scripts, and the directory that each goes to.',
      schema: listOf(
        objectOf(
          { name: { type: 'string', minLength: 1 }, directory, items: listOf({ $ref: '#/definitions/V1KeyToPath' }) },
          ['name', 'directory'],
        ),
      ),
      default: [],
      example: '- { name: my-backups, directory: backups }',
    },
  }),
  timeZone: text('Of schedules that name none, and of the scripts (TZ), such as Europe/Berlin. Default: UTC.'),
  logLevel: oneOf(['debug', 'info', 'warn', 'error', 'silent'], 'What is logged.', 'info'),
}
