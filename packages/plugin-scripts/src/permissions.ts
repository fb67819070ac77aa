import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Permission } from '@holdfast/sdk'
import { rootOf, type ScriptsConfig } from './config.ts'
import { scriptDirectories } from './hooks.ts'

/** What `kubectlexec` needs. `get` beside `create`: older API servers ask for it when the connection is a WebSocket. */
const kubectlexec: readonly Permission[] = [
  {
    apiGroup: '',
    resource: 'pods',
    verbs: ['get'],
    scope: 'namespace',
    why: 'kubectlexec looks whether its container runs',
  },
  {
    apiGroup: '',
    resource: 'pods/exec',
    verbs: ['create', 'get'],
    scope: 'namespace',
    why: 'scripts run commands in another container with kubectlexec',
  },
]

/** What the scripts need from the Kubernetes API, as they are now: nothing, unless one of them names `kubectlexec`. */
export function permissionsFor(config: Pick<ScriptsConfig, 'path'>): readonly Permission[] {
  const root = rootOf(config)
  return scriptDirectories.some((directory) => namesKubectlexec(join(root, directory))) ? kubectlexec : []
}

/** The same of one script, or of a directory of scripts. */
export function permissionsForScripts(path: string): readonly Permission[] {
  return contains(path) || namesKubectlexec(path) ? kubectlexec : []
}

function namesKubectlexec(directory: string): boolean {
  try {
    return readdirSync(directory).some((name) => !name.startsWith('..') && contains(join(directory, name)))
  } catch {
    return false
  }
}

/** What can't be read is refused elsewhere, by name. */
function contains(file: string): boolean {
  try {
    return statSync(file).isFile() && readFileSync(file).includes('kubectlexec')
  } catch {
    return false
  }
}
