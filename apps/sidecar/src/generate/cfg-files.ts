// The four files of make-k8s-cfg-files: what is in them, without a word about where they go.
import { posix } from 'node:path'
import type { Permission } from '@holdfast/sdk'
import { defaultScriptsPath } from '../environment.ts'
import { configMapOf } from './config-map.ts'
import { dashed } from './names.ts'
import { rolePages, serviceAccountPage } from './rbac.ts'
import { generatedBy, type HookFiles } from './script-files.ts'
import { modes, scriptVolume, type Volume } from './script-volumes.ts'
import { toYaml, type YamlComment, type YamlPage } from './yaml.ts'

/** Checked names; all are labels. */
export interface CfgFilesNames {
  readonly namespace: string
  readonly project: string
  readonly container: string
}

/** What the files are made from. */
export interface CfgFilesInput {
  readonly names: CfgFilesNames
  /** Those that have scripts. */
  readonly hooks: readonly HookFiles[]
  readonly permissions: readonly Permission[]
  /** Where the container sees the scripts; absolute. */
  readonly scriptsPath: string
}

/** One of the files. */
export interface CfgFile {
  /** After the project's name and a dash. */
  readonly name: string
  readonly text: string
}

const stateVolume = 'holdfast-state'

/** Makes the four files. The same input makes the same bytes. */
export function cfgFiles(input: CfgFilesInput): readonly CfgFile[] {
  return [
    { name: 'config-maps.yaml', text: configMaps(input) },
    { name: 'partial_service_account_name_volumes.yaml', text: volumes(input) },
    { name: 'partial_volume_mounts.yaml', text: volumeMounts(input) },
    { name: 'accounts.yaml', text: accounts(input) },
  ]
}

function configMapName({ project, container }: CfgFilesNames, { directory }: HookFiles): string {
  return `${project}-${container}-config-${dashed(directory)}`
}

/**
 * sidefridge's names, although the rights are anything but full: pods refer to the account by it, and only a Role of the
 * same name takes away what the former one gave.
 */
function accountNames({ project }: CfgFilesNames) {
  return {
    serviceAccount: `${project}-full-access-service-account`,
    role: `${project}-full-access-role`,
    roleBinding: `${project}-full-access-role-binding`,
    clusterRole: `${project}-full-access-role`,
  }
}

function configMaps({ names, hooks }: CfgFilesInput): string {
  const { namespace } = names
  const pages = hooks.map((hook): YamlPage => ({
    value: configMapOf({ name: configMapName(names, hook), namespace, files: hook.files }),
  }))
  return file(
    `the scripts, one ConfigMap for each hook that has any.
Apply it with --server-side: without, kubectl refuses ConfigMaps of more than 256 KiB.`,
    pages,
  )
}

function volumes({ names, hooks }: CfgFilesInput): string {
  const scripts = hooks.map((hook): Volume => {
    const configMap = configMapName(names, hook)
    return scriptVolume({ configMap, volume: `${configMap}-volume`, hook, defaultMode: modes.ownersScripts })
  })
  const state: Volume = { name: stateVolume, emptyDir: {} }
  const comments: YamlComment[] = [
    {
      at: ['serviceAccountName'],
      text: `sidefridge's name, so that existing manifests keep working. What it may do is in the accounts file.`,
    },
    {
      at: ['volumes', 0, 'configMap', 'defaultMode'],
      text: `${modes.ownersScripts} is 0744 in octal, which readers of YAML disagree about. ${modes.programs} is 0755.`,
    },
    {
      at: ['volumes', hooks.length],
      text: 'What a run takes is written down here before, so that it is given back after the container was restarted.',
    },
  ]
  const value = { serviceAccountName: accountNames(names).serviceAccount, volumes: [...scripts, state] }
  return file(
    `a part of the pod.
Paste it into \`spec.template.spec\` of a Deployment, beside \`containers\`. Where there are \`volumes\` already, add these.`,
    [{ value, comments }],
  )
}

function volumeMounts({ names, hooks, scriptsPath }: CfgFilesInput): string {
  const scripts = hooks.map((hook) => ({
    mountPath: posix.join(scriptsPath, hook.directory),
    name: `${configMapName(names, hook)}-volume`,
  }))
  const value = { volumeMounts: [...scripts, { mountPath: '/var/lib/holdfast', name: stateVolume }] }
  const comments = [
    {
      at: ['volumeMounts', 0],
      text: `The default is ${defaultScriptsPath}: set HOLDFAST_SCRIPTS to ${scriptsPath} in this container.`,
    },
    { at: ['volumeMounts', hooks.length], text: 'What a run has taken and must give back.' },
  ]
  return file(
    `a part of the container that runs the scripts.
Paste it into the container, beside \`image\`. Where there are \`volumeMounts\` already, add these.`,
    [{ value, comments: scriptsPath === defaultScriptsPath ? comments.slice(1) : comments }],
  )
}

function accounts({ names, permissions }: CfgFilesInput): string {
  const account = accountNames(names)
  const pages = [
    serviceAccountPage(account.serviceAccount, names.namespace),
    ...rolePages({ names: account, namespace: names.namespace, permissions }),
  ]
  return file(
    `an account, and what the scripts and Holdfast itself need.
The names are sidefridge's, the rights are not: no more than the rules below. Pods that use the account keep working,
and applying this file takes away what the former Role gave.`,
    pages,
  )
}

function file(about: string, [first, ...more]: readonly YamlPage[]): string {
  return first === undefined ? '' : toYaml([{ ...first, header: `${generatedBy.slice(2)}: ${about}` }, ...more])
}
