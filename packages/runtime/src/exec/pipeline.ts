import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, isHoldfastError, type ExecRequest, type ExecResult } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { startCommand, type ExecServices, type RunningCommand } from './command.ts'
import { linkStages, type Link } from './pipeline-link.ts'

/** How long a stage that died of SIGPIPE waits for what its reader says, in ms. */
const readerGraceMs = 1000

interface StageFailure {
  readonly stage: number
  readonly error: unknown
}

/**
 * Runs commands side by side, each one's standard output as the next one's input, without a shell. Every stage's exit
 * code counts. When one fails, the others are stopped; a stage that died of SIGPIPE is the culprit only if no other is.
 * `bytes` of a result is 0 where the output went straight to the next stage.
 *
 * @throws HoldfastError of the first failure: `details.stage` counts from 1, `details.others` has the other failures
 */
export async function runPipeline(
  stages: readonly [ExecRequest, ...ExecRequest[]],
  services: ExecServices,
): Promise<readonly ExecResult[]> {
  checkStages(stages)
  const links: Link[] = []
  const running: RunningCommand[] = []
  const failures: StageFailure[] = []
  const consequences = new Set<unknown>()
  /** Stages that were handed their ends of the links, whether or not they could be started. */
  let handed = 0

  const stopOthers = (failed: number): void => {
    const reason = `stage ${failed + 1} of the pipeline failed`
    for (const [at, stage] of running.entries()) {
      if (at === failed) continue
      stage.stop((remains) => {
        const error = errors.EXEC_ABORTED({ ...remains, reason })
        consequences.add(error)
        return error
      })
    }
  }
  const settled: Promise<ExecResult | undefined>[] = []
  const follow = async (stage: number, { result }: RunningCommand): Promise<ExecResult | undefined> => {
    try {
      const good = await result
      links[stage]?.finish()
      return good
    } catch (error) {
      // Whoever reads from it has ended first, as a rule: how, is for the reader to say.
      if (isBrokenPipe(error)) await Promise.race([settled[stage + 1], sleep(readerGraceMs)])
      failures.push({ stage, error })
      stopOthers(stage)
      return undefined
    }
  }

  try {
    for (const [at, request] of stages.entries()) {
      const last = at === stages.length - 1
      const before = links[at - 1]
      const after = last ? undefined : await linkStages(request)
      if (after) links.push(after)
      const wiring = { ...before?.reader, ...after?.writer.wiring }
      handed++
      const stage = await startCommand(after ? { ...request, stdout: after.writer.stdout } : request, services, wiring)
      before?.started(stage)
      running.push(stage)
    }
    settled.push(...running.map((stage, at) => follow(at, stage)))
  } catch (error) {
    failures.push({ stage: running.length, error })
    stopOthers(running.length)
    settled.push(...running.map((stage, at) => follow(at, stage)))
  }
  const results = await Promise.all(settled)
  for (const [at, link] of links.entries()) {
    link.release({ writerHanded: handed > at, readerHanded: handed > at + 1 })
  }
  const rank = ({ error }: StageFailure): number => (consequences.has(error) ? 2 : Number(isBrokenPipe(error)))
  const [first] = failures.toSorted((a, b) => rank(a) - rank(b))
  if (first) throw failureOf(first, failures, stages.length)
  return results as ExecResult[]
}

function checkStages(stages: readonly ExecRequest[]): void {
  for (const [at, { command, stdin, stdout }] of stages.entries()) {
    const refuse = (reason: string): Error => errors.EXEC_REQUEST({ command: command[0], reason })
    if (at > 0 && stdin !== undefined) throw refuse('its input is the stage before it, so it has no stdin of its own')
    if (at < stages.length - 1 && stdout !== undefined) {
      throw refuse('its output is for the stage behind it, so it has no stdout of its own')
    }
  }
}

function isBrokenPipe(error: unknown): boolean {
  if (!isHoldfastError(error)) return false
  const { signal, exitCode } = error.details
  return signal === 'SIGPIPE' || exitCode === 141
}

function failureOf({ stage, error }: StageFailure, failures: readonly StageFailure[], count: number): unknown {
  if (!isHoldfastError(error)) return error
  const others = failures
    .filter((each) => each.error !== error)
    .map((each) => ({
      stage: each.stage + 1,
      ...(isHoldfastError(each.error)
        ? { code: each.error.code, message: each.error.message }
        : { message: String(each.error) }),
    }))
  const { code, message, hint, docs, retryable, details, cause } = error
  return new HoldfastError({
    code,
    message: `stage ${stage + 1} of ${count}: ${message}`,
    hint,
    docs,
    retryable,
    details: { ...details, stage: stage + 1, others },
    cause,
  })
}
