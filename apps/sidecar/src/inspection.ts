import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isHoldfastError } from '@holdfast/sdk'
import { createEngine, createMetrics, logOutput, type Cluster, type Engine, type LoadedConfig } from '@holdfast/runtime'
import { clusterOf } from './cluster.ts'
import { withStorage } from './configuration.ts'
import type { CommandContext } from './context.ts'
import { hasJournal } from './journal.ts'

/**
 * Calls something with an engine that looks and changes nothing. Where there is no state directory yet, or none that
 * can be written, a temporary one takes its place.
 */
export async function withInspectingEngine<T>(
  context: CommandContext,
  { config }: LoadedConfig,
  body: (engine: Engine, signal: AbortSignal, cluster: Cluster | undefined) => Promise<T>,
): Promise<T> {
  const { io, settings, redactor, log } = context
  const cluster = await clusterOf(context)
  const open = (stateDirectory: string): Engine =>
    createEngine({
      config: withStorage(config, settings.stateDirectory),
      stateDirectory,
      log,
      redactor,
      metrics: createMetrics({ log }),
      clock: io.clock,
      env: io.env,
      cluster,
      output: logOutput({ log, clock: io.clock }),
    })
  const stop = new AbortController()
  const close = io.onSignal((signal) => stop.abort(new Error(`stopped by ${signal}`)))
  const temporary = mkdtempSync(join(tmpdir(), 'holdfast-look-'))
  let engine: Engine | undefined
  try {
    engine = (hasJournal(settings.stateDirectory) && tryOpen(() => open(settings.stateDirectory))) || open(temporary)
    return await body(engine, stop.signal, cluster)
  } finally {
    engine?.close()
    close()
    rmSync(temporary, { recursive: true, force: true })
  }
}

function tryOpen(open: () => Engine): Engine | undefined {
  try {
    return open()
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'JOURNAL_UNWRITABLE') return undefined
    throw error
  }
}
