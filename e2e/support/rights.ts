// Commands on this machine that may do what we print for them, and nothing else.
import { afterAll } from 'vitest'
import type { Site } from './benji.ts'
import { applyText, readManifests, type Manifest } from './generated.ts'
import { kubeconfigOf } from './grants.ts'
import { run } from './kubectl.ts'

/** An account with the rights that `holdfast generate rbac` prints for a site's configuration. */
export interface Rights {
  readonly kubeconfig: string
  readonly objects: readonly Manifest[]
}

/** Returns what makes the account, once the configuration is there. What isn't in the namespace is removed in the end. */
export function useRights(namespace: string): (site: Site) => Promise<Rights> {
  let printed = ''
  afterAll(() => run('kubectl', ['delete', '--ignore-not-found', '--wait=false', '-f', '-'], { input: printed }))
  return async (site) => {
    const administrator = { KUBECONFIG: process.env['KUBECONFIG'] }
    const { code, stdout, stderr } = await site.run(
      'holdfast',
      ['generate', 'rbac', '--namespace', namespace],
      administrator,
    )
    if (code !== 0) throw new Error(`holdfast generate rbac ended with ${code}: ${stderr}`)
    printed = stdout
    await applyText(printed)
    site.project.write('kubeconfig', await kubeconfigOf('holdfast', namespace), 0o600)
    return { kubeconfig: site.project.at('kubeconfig'), objects: readManifests(printed) }
  }
}
