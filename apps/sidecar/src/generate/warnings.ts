import type { HoldfastError } from '@holdfast/sdk'
import type { ResolvedPlan } from '@holdfast/runtime'
import { errors } from '../errors.ts'
import type { Blueprint } from './blueprint.ts'
import type { ScriptSetFiles, Source } from './read-source.ts'

/** What the manifests are for. */
export interface WarningOptions {
  readonly isCronJob: boolean
  readonly targetContainer: string | undefined
  readonly stateClaim: string | undefined
}

/** What manifests can't put right, but will go wrong with them. */
export function warningsFor(made: Blueprint & Source, options: WarningOptions): readonly HoldfastError[] {
  const { sets, asRoot, plans, loaded } = made
  const { isCronJob, targetContainer, stateClaim } = options
  const install = sets.find(({ hooks }) => hooks?.some(({ directory }) => directory === 'install_dependencies'))
  const script = fileUsing(sets, 'kubectlexec')
  const isLost = loaded.config.storage === undefined && stateClaim === undefined
  const lost = isLost ? plans.find((plan) => makesArtifacts(plan, sets)) : undefined
  return [
    ...(install && !asRoot ? [errors.GENERATE_INSTALL({ path: `${install.local}/install_dependencies` })] : []),
    ...(script !== undefined && isCronJob ? [errors.GENERATE_NO_TARGET({ script })] : []),
    ...(script !== undefined && !isCronJob && targetContainer === undefined
      ? [errors.GENERATE_TARGET({ script })]
      : []),
    ...(lost ? [errors.GENERATE_STORE_LOST({ plan: lost.name })] : []),
  ]
}

/** Scripts may well keep their dumps elsewhere themselves; anything else that backs up makes artifacts. */
function makesArtifacts({ participants }: ResolvedPlan, sets: readonly ScriptSetFiles[]): boolean {
  return participants.some(({ name, hooks }) => {
    return hooks.backups !== undefined && (name !== 'scripts' || fileUsing(sets, 'save_artifact') !== undefined)
  })
}

function fileUsing(sets: readonly ScriptSetFiles[], word: string): string | undefined {
  for (const { local, hooks = [] } of sets) {
    for (const { directory, files } of hooks) {
      const found = files.find(({ bytes }) => Buffer.from(bytes).includes(word))
      if (found) return `${local}/${directory}/${found.name}`
    }
  }
  return undefined
}
