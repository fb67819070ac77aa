import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-codes.ts'
import { oneArtifact, openStores } from '../stores.ts'

/** Options of `holdfast accept`. */
export interface AcceptOptions {
  readonly instance?: string | undefined
}

/** `holdfast accept ARTIFACT`: takes an artifact as good whose size fell. */
export async function runAcceptCommand(context: CommandContext, id: string, options: AcceptOptions): Promise<number> {
  const { artifact, store } = await oneArtifact(await openStores(context, options), id)
  const accepted = await store.accept(artifact.id)
  const text = {
    suspect: `${artifact.id} is accepted: its target is pruned again\n`,
    valid: `${artifact.id} is not suspect: nothing to accept\n`,
    invalid: `${artifact.id} is damaged, which can't be accepted: ${artifact.reason ?? ''}\n`,
  }
  if (context.settings.json) context.printJson(accepted)
  else context.print(text[artifact.state])
  return artifact.state === 'invalid' ? exitCode.failed : exitCode.ok
}
