import type { Exec, ExecRequest, ExecSession } from '@holdfast/sdk'
import type { BegunWork } from './begun-work.ts'

/** Options of {@link execOf}. */
export interface ExecOfOptions {
  readonly begun: BegunWork
  /** Of the call: what commands are handed that may as well be handed none. */
  readonly signal: AbortSignal
  /** Makes what runs commands until a signal. */
  create(signal: AbortSignal): Exec
}

/** Runs commands that the call of a handler waits for, or that end with what it has taken. */
export function execOf({ begun, signal, create }: ExecOfOptions): Exec {
  let bounded: Exec | undefined
  let lasting: Exec | undefined
  const beside = (): Exec => (lasting ??= create(begun.lasting))
  const start = <T>(requests: readonly ExecRequest[], run: (exec: Exec) => Promise<T>): Promise<T> => {
    const { late } = begun
    if (late) return begun.begin({ kind: 'command', name: nameOf(requests[0]) }, () => run(create(late)))
    const until = requests.map((request) => request.signal).find((given) => given !== undefined && given !== signal)
    return begun.begin({ kind: 'command', name: nameOf(requests[0]), until }, () =>
      run(until ? beside() : (bounded ??= create(begun.signal))),
    )
  }
  return {
    local: (request) => start([request], (exec) => exec.local(request)),
    pipeline: (stages) => start(stages, (exec) => exec.pipeline(stages)),
    container: (where, request) => start([request], (exec) => exec.container(where, request)),
    session(where, request) {
      const name = nameOf(request)
      const exec = begun.late ? create(begun.late) : beside()
      const open = async (): Promise<ExecSession> => begun.hold(name, await exec.session(where, request))
      return begun.begin({ kind: 'command', name }, open)
    },
  }
}

/** The program. */
function nameOf(request: ExecRequest | undefined): string {
  return request?.command[0] ?? ''
}
