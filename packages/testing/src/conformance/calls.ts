// What a plugin does through its context: seen, and made to hang or fail on the way.
import {
  parseDuration,
  type ContainerRef,
  type Exec,
  type ExecRequest,
  type Kubernetes,
  type RunContext,
  type Secret,
  type ServiceContext,
  type TargetContext,
} from '@holdfast/sdk'

/** One thing that a plugin asked of its context. */
export interface PluginCall {
  /** A hook's name, `targets`, `describe`, `undo` or `restore`. */
  readonly hook: string
  readonly target: string | undefined
  readonly kind: 'exec' | 'api' | 'artifact' | 'record' | 'arm' | 'sleep'
  /** The program; verb and type; the name of the artifact or the undo. */
  readonly what: string
  readonly command?: readonly string[] | undefined
  readonly container?: ContainerRef | undefined
  readonly meta?: unknown
  /** A command that is talked to: what it holds ends with it. */
  readonly isSession?: boolean | undefined
  /** An undo that the same hook was still arming when it began. */
  readonly arming?: string | undefined
}

/** Stands between a plugin and its context. */
export interface Seam {
  /** Called before each call goes on. What it rejects with, the plugin gets; while it waits, the call hangs. */
  before(call: PluginCall, signal: AbortSignal | undefined): Promise<void>
  /** Called after a command or a change of an object that went well. What it throws, the plugin gets. */
  after(call: PluginCall): void
  /** It sleeps. @returns what to call when it wakes up */
  sleeps(ms: number): () => void
  /** A secret was opened. */
  opened(value: string): void
}

/** A call, the same for calls that differ only in their details. */
export function labelOf({ hook, kind, what, command = [] }: PluginCall): string {
  const verb = command.slice(1).find((word) => /^[a-z][a-z-]*$/.test(word)) ?? ''
  return `${kind} ${what}${verb && ` ${verb}`} in ${hook}`
}

/** The same context, watched. */
export function watched<Ctx extends ServiceContext<unknown>>(ctx: Ctx, hook: string, seam: Seam): Ctx {
  const target = (ctx as Partial<TargetContext<unknown>>).target?.id
  const arming = new Set<string>()
  const see: See = async (call, signal = ctx.signal) => {
    const seen = { hook, target, ...call, arming: [...arming][0] }
    await seam.before(seen, signal)
    return () => seam.after(seen)
  }
  let exec: Exec | undefined
  const kubernetes = ctx.kubernetes && watchedKubernetes(ctx.kubernetes, see)
  const { clock, secrets } = ctx
  const services: Partial<ServiceContext<unknown>> = {
    get exec() {
      return (exec ??= watchedExec(ctx.exec, ctx.signal, see))
    },
    kubernetes,
    clock: {
      ...clock,
      async sleep(duration, signal) {
        // A sleep heeds only the signal that it is given.
        await see({ kind: 'sleep', what: String(duration) }, signal ?? new AbortController().signal)
        const wakes = seam.sleeps(parseDuration(duration))
        try {
          await clock.sleep(duration, signal)
        } finally {
          wakes()
        }
      },
    },
    secrets: {
      async open(ref): Promise<Secret> {
        const secret = await secrets.open(ref)
        seam.opened(secret.reveal())
        return secret
      },
    },
  }
  return Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(ctx),
      ...Object.getOwnPropertyDescriptors(services),
      ...Object.getOwnPropertyDescriptors(runServices(ctx as Partial<TargetContext<unknown>>, see, arming)),
    },
  ) as Ctx
}

/** Resolves to what is called when it has gone well. */
type See = (call: Omit<PluginCall, 'hook' | 'target' | 'arming'>, signal?: AbortSignal) => Promise<() => void>

function runServices(
  { undo, createArtifact, record }: Partial<TargetContext<unknown>>,
  see: See,
  arming: Set<string>,
): Partial<TargetContext<unknown>> {
  const arm: RunContext<unknown>['undo']['arm'] | undefined =
    undo &&
    ((which, input) => {
      const armed = (async () => {
        arming.add(which.name)
        try {
          await see({ kind: 'arm', what: which.name })
          return await undo.arm(which, input)
        } finally {
          arming.delete(which.name)
        }
      })()
      // Who doesn't wait for it hears of that by name, and not of a rejection that nobody handled.
      armed.catch(() => {})
      return armed
    })
  return {
    ...(arm && { undo: { ...undo, arm } }),
    ...(createArtifact && {
      async createArtifact(name, produce, options) {
        await see({ kind: 'artifact', what: name, meta: options?.meta })
        return createArtifact(name, produce, options)
      },
    }),
    ...(record && {
      async record(point) {
        await see({ kind: 'record', what: 'point', meta: point })
        await record(point)
      },
    }),
  }
}

function watchedExec(exec: Exec, own: AbortSignal, see: See): Exec {
  const seen = (request: ExecRequest, container?: ContainerRef, isSession = false): Promise<() => void> => {
    const { command, signal } = request
    const [program] = command
    const ends = signal ? AbortSignal.any([own, signal]) : own
    return see({ kind: 'exec', what: program.split('/').at(-1) ?? program, command, container, isSession }, ends)
  }
  return {
    async local(request) {
      const done = await seen(request)
      const result = await exec.local(request)
      done()
      return result
    },
    async pipeline(stages) {
      const done: (() => void)[] = []
      for (const stage of stages) done.push(await seen(stage))
      const results = await exec.pipeline(stages)
      for (const each of done) each()
      return results
    },
    async container(where, request) {
      const done = await seen(request, where)
      const result = await exec.container(where, request)
      done()
      return result
    },
    async session(where, request) {
      await seen(request, where === 'local' ? undefined : where, true)
      return exec.session(where, request)
    },
  }
}

function watchedKubernetes(kubernetes: Kubernetes, see: See): Kubernetes {
  const seen = (verb: string, type: string): Promise<() => void> => see({ kind: 'api', what: `${verb} ${type}` })
  return {
    namespace: kubernetes.namespace,
    async *list(type, options) {
      await seen('list', type)
      yield* kubernetes.list(type, options)
    },
    async get(type, name, options) {
      await seen('get', type)
      return kubernetes.get(type, name, options)
    },
    async create(type, body) {
      const done = await seen('create', type)
      const created = await kubernetes.create(type, body)
      done()
      return created
    },
    async delete(type, name, options) {
      const done = await seen('delete', type)
      await kubernetes.delete(type, name, options)
      done()
    },
    async event(about, event) {
      await seen('create', 'events')
      return kubernetes.event(about, event)
    },
  }
}
