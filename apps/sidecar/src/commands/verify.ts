import { formatDuration, type HoldfastError } from '@holdfast/sdk'
import { recordFailure, toFailure, type StoredArtifact } from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import { errors } from '../errors.ts'
import { exitCode, exitCodeOfSignal } from '../exit-codes.ts'
import type { Signal } from '../io.ts'
import { count, formatBytes } from '../output/format.ts'
import { findArtifacts, oneArtifact, openStores, type FoundArtifact, type Stores } from '../stores.ts'

/** Options of `holdfast verify`. */
export interface VerifyOptions {
  readonly all?: boolean | undefined
  readonly plan?: string | undefined
  readonly target?: string | undefined
  readonly instance?: string | undefined
  readonly identity?: string | undefined
}

interface Verified {
  readonly artifact: StoredArtifact
  readonly error?: HoldfastError | undefined
}

/** `holdfast verify`: reads artifacts back from the store and compares every byte with their digests. */
export async function runVerifyCommand(
  context: CommandContext,
  ids: readonly string[],
  options: VerifyOptions,
): Promise<number> {
  const { settings, screen, style, io, log } = context
  if (ids.length === 0 && !options.all && options.plan === undefined && options.target === undefined) {
    throw errors.CHOICE_MISSING({
      command: 'verify',
      what: 'artifacts',
      allowed: 'their ids, --plan, --target or --all',
    })
  }
  const stores = await openStores(context, options)
  const chosen = await choose(stores, ids, options)
  const stop = new AbortController()
  let signal: Signal | undefined
  const close = io.onSignal((received) => {
    signal = received
    stop.abort(new Error(`stopped by ${received}`))
  })
  const results: Verified[] = []
  for (const [index, found] of chosen.entries()) {
    if (stop.signal.aborted) break
    screen.status(`  … ${index + 1} of ${chosen.length}: ${found.artifact.id}, ${formatBytes(found.artifact.size)}`)
    const began = performance.now()
    const result = await verifyOne(found, stop.signal)
    if (stop.signal.aborted) break
    screen.status(undefined)
    // Whoever reads for hours, beside runs that prune, finds some gone. What was named has to be there.
    if (ids.length === 0 && result.error?.code === 'ARTIFACT_NOT_FOUND') {
      log.warn(`${found.artifact.id} was listed, and pruned since: it was not read back`)
      continue
    }
    results.push(result)
    if (!settings.json) report(context, result, performance.now() - began)
  }
  screen.status(undefined)
  close()
  const damaged = results.filter(({ error }) => error)
  const bad = damaged.length + new Set(stores.unreadable).size
  if (settings.json) {
    context.printJson(results.map(({ artifact, error }) => ({ ...artifact, error: error && recordFailure(error) })))
  } else if (results.length > 1) {
    const sum = bad === 0 ? style.green('all good') : style.red(`${bad} not good`)
    context.print(`${count(results.length, 'artifact')} read back, ${sum}\n`)
  } else if (results.length === 0 && signal === undefined) context.print(`No artifact in ${stores.address} fits.\n`)
  if (signal !== undefined) return exitCodeOfSignal(signal)
  // Nothing read back proves nothing.
  return bad === 0 && results.length > 0 ? exitCode.ok : exitCode.failed
}

async function choose(
  stores: Stores,
  ids: readonly string[],
  options: VerifyOptions,
): Promise<readonly FoundArtifact[]> {
  if (ids.length > 0) return Promise.all(ids.map((id) => oneArtifact(stores, id)))
  const found: FoundArtifact[] = []
  for await (const each of findArtifacts(stores, options)) found.push(each)
  return found
}

async function verifyOne({ artifact, store }: FoundArtifact, signal: AbortSignal): Promise<Verified> {
  try {
    return { artifact: await store.verify(artifact.id, { signal }) }
  } catch (error) {
    return { artifact, error: toFailure(error, { target: artifact.target }) }
  }
}

function report(context: CommandContext, { artifact, error }: Verified, ms: number): void {
  const { style } = context
  if (error) {
    context.print(`${style.red('✗')} ${artifact.id}\n`)
    context.fail(error)
    return
  }
  const stored = artifact.verification?.checked === 'stored'
  const how = stored ? 'the stored bytes only: there is no identity to decrypt them' : `sha256 ${artifact.sha256}`
  const mark = stored ? style.yellow('✓') : style.green('✓')
  context.print(`${mark} ${artifact.id}  ${formatBytes(artifact.size)}, ${how}  ${style.dim(formatDuration(ms))}\n`)
}
