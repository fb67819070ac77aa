import type { StoredArtifact } from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-codes.ts'
import { formatArtifacts } from '../output/artifacts.ts'
import { findArtifacts, openStores } from '../stores.ts'

/** Options of `holdfast list`. */
export interface ListOptions {
  readonly plan?: string | undefined
  readonly target?: string | undefined
  readonly instance?: string | undefined
}

/** `holdfast list`: what can be restored, from the store alone. */
export async function runListCommand(context: CommandContext, options: ListOptions): Promise<number> {
  const stores = await openStores(context, { instance: options.instance })
  const artifacts: StoredArtifact[] = []
  for await (const { artifact } of findArtifacts(stores, options)) artifacts.push(artifact)
  if (context.settings.json) context.printJson(artifacts)
  else if (artifacts.length === 0) context.print(`No artifact in ${stores.address} fits.\n`)
  else context.print(formatArtifacts(artifacts, context))
  return exitCode.ok
}
