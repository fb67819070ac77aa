// exec.container against a real kubelet and a real container runtime.
import { createHash, randomBytes } from 'node:crypto'
import { createSecret, isHoldfastError, type HoldfastError, type Sink } from '@holdfast/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openExec, startProxy, type ClusterExec } from './support/exec.ts'
import { apply, getObject, waitFor } from './support/kubectl.ts'
import { images, useNamespace } from './support/namespace.ts'
import { ended, execIn, podOf, ready, type Pod } from './support/pods.ts'

const namespace = useNamespace('exec')
const target = { pod: 'target', namespace, container: 'main' }
let opened: ClusterExec

beforeAll(async () => {
  await apply(
    podOf(namespace, 'target', { image: images.node, command: ['sleep', 'infinity'] }),
    podOf(namespace, 'busybox', { image: images.busybox }),
    podOf(namespace, 'no-shell', { image: images.noShell }),
    podOf(namespace, 'completed', { image: images.busybox, command: ['/bin/true'] }),
    podOf(namespace, 'crashing', { image: images.busybox, command: ['/bin/false'] }, { restartPolicy: 'Always' }),
  )
  opened = await openExec()
  await Promise.all([
    ready(namespace, 'target'),
    ready(namespace, 'busybox'),
    ready(namespace, 'no-shell'),
    ended(namespace, 'completed'),
  ])
})
afterAll(() => opened[Symbol.asyncDispose]())

function collect(): Sink & { readonly bytes: () => Buffer } {
  const chunks: Uint8Array[] = []
  return {
    write: async (chunk) => void chunks.push(chunk),
    bytes: () => Buffer.concat(chunks),
  }
}

async function refusal(work: Promise<unknown>): Promise<HoldfastError> {
  try {
    await work
  } catch (error) {
    if (isHoldfastError(error)) return error
    throw error
  }
  throw new Error('it succeeded')
}

describe.each(['target', 'busybox'])('in a container with a shell (%s)', (pod) => {
  const where = { ...target, pod }

  test('output and errors arrive apart, and the exit code is the command’s own', async () => {
    const out = collect()
    const err = collect()
    const command = ['/bin/sh', '-c', 'printf "a\\000b"; printf "c\\377" >&2; exit 41'] as const
    const failure = await refusal(opened.exec.container(where, { command, stdout: out, stderr: err }))
    expect(failure).toMatchObject({ code: 'EXEC_FAILED', details: { exitCode: 41 } })
    expect(out.bytes()).toEqual(Buffer.from([0x61, 0, 0x62]))
    expect(err.bytes()).toEqual(Buffer.from([0x63, 0xff]))
  })

  test.each([126, 127, 137, 255])('fault F31: exit code %i passes through', async (exitCode) => {
    const command = ['/bin/sh', '-c', `exit ${exitCode}`] as const
    const failure = await refusal(opened.exec.container(where, { command }))
    expect(failure.details).toMatchObject({ exitCode })
  })

  test.each(['status', 'bytes', 'sha256'] as const)(
    '8 MiB of noise goes in and comes back whole (%s)',
    async (integrity) => {
      const noise = randomBytes(8 * 2 ** 20)
      async function* slices(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < noise.length; at += 100_000) yield noise.subarray(at, at + 100_000)
      }
      const out = collect()
      const result = await opened.exec.container(where, { command: ['cat'], stdin: slices(), stdout: out, integrity })
      expect(result).toMatchObject({ exitCode: 0, bytes: noise.length, integrity })
      expect(createHash('sha256').update(out.bytes()).digest('hex')).toBe(
        createHash('sha256').update(noise).digest('hex'),
      )
    },
  )

  test('fault F32: arguments arrive as they are, and the environment without being in argv', async () => {
    const words = ['', ' ', "'", '"', '$HOME', '`id`', '\\', 'a\nb', '-n', '--', 'ünïcödé', '*', 'x'.repeat(100_000)]
    const secret = createSecret('pass\nword $(id) “x”')
    const script = 'printf "%s\\000" "$@"; printf "%s" "$PASSWORD" >&2; tr "\\000" " " </proc/self/cmdline >/dev/null'
    const err = collect()
    const out = collect()
    await opened.exec.container(where, {
      command: ['/bin/sh', '-c', script, 'sh', ...words],
      env: { PASSWORD: secret },
      stdout: out,
      stderr: err,
    })
    expect(out.bytes().toString().split('\0').slice(0, -1)).toEqual(words)
    expect(err.bytes().toString()).toBe('pass\nword $(id) “x”')
  })

  test('what is cancelled is killed in the container, with its descendants', async () => {
    const stop = new AbortController()
    const marker = `${Math.floor(1000 + Math.random() * 8000)}`
    const begun = new Promise<void>((resolve) => {
      const command = [
        '/bin/sh',
        '-c',
        `trap "" TERM; (sleep 1${marker}) & echo begun; sleep 2${marker}; wait`,
      ] as const
      const running = opened.exec.container(where, { command, signal: stop.signal, onLine: () => resolve() })
      aborted = refusal(running)
    })
    await begun
    stop.abort(new Error('the test has seen enough'))
    expect((await aborted).code).toBe('EXEC_ABORTED')
    const left = await waitFor('the processes to be gone', async () => {
      const ps = 'for f in /proc/[0-9]*/cmdline; do tr "\\000" " " <"$f" 2>/dev/null; echo; done'
      const { stdout } = await execIn(namespace, pod, 'main', ['/bin/sh', '-c', ps])
      return stdout.split('\n').some((line) => line.startsWith('sleep') && line.includes(marker)) ? undefined : 'none'
    })
    expect(left).toBe('none')
  })
  let aborted: Promise<HoldfastError>

  test('a session is talked to, and the end of its input is its order to give back', async () => {
    const command = ['/bin/sh', '-c', 'echo frozen; cat >/dev/null; echo thawed'] as const
    const session = await opened.exec.session(where, { command })
    expect(await session.line((line) => line === 'frozen', '10s')).toBe('frozen')
    const thawed = session.line((line) => line === 'thawed', '10s')
    await session.end()
    expect(await thawed).toBe('thawed')
    expect((await session.result).exitCode).toBe(0)
  })
})

describe('in a container without a shell', () => {
  const where = { ...target, pod: 'no-shell' }

  test('fault F32: arguments arrive as they are', async () => {
    const words = ['', ' ', "'", '"', '$HOME', '\\', 'a\nb', '-n', '--', 'ünïcödé', 'y'.repeat(131_071)]
    const out = collect()
    await opened.exec.container(where, { command: ['/bin/busybox', 'printf', '%s\\0', ...words], stdout: out })
    expect(out.bytes().toString().split('\0').slice(0, -1)).toEqual(words)
  })

  test('what needs a shell is refused, never silently less', async () => {
    const command = ['/bin/busybox', 'true'] as const
    expect(await opened.exec.container(where, { command })).toMatchObject({ exitCode: 0, integrity: 'status' })
    for (const more of [{ integrity: 'sha256' }, { env: { A: 'b' } }, { cwd: '/bin' }] as const) {
      expect((await refusal(opened.exec.container(where, { command, ...more }))).code).toBe('EXEC_NO_SHELL')
    }
  })

  test('a program that is not there is said to be missing', async () => {
    const failure = await refusal(opened.exec.container(where, { command: ['/bin/absent'] }))
    expect(failure.message).toContain('/bin/absent')
    expect(failure.code).not.toBe('EXEC_LOST')
  })
})

describe('fault F30: what can’t be executed in is refused before anything runs', () => {
  const command = ['true'] as const

  test('a completed pod', async () => {
    const failure = await refusal(opened.exec.container({ ...target, pod: 'completed' }, { command }))
    expect(failure.message).toContain('has completed')
  })

  test('a container that crashes again and again', async () => {
    await waitFor('a restart', async () => {
      const pod = await getObject<Pod>('pod', 'crashing', namespace)
      return (pod?.status.containerStatuses?.[0]?.restartCount ?? 0) > 0
    })
    const failure = await refusal(opened.exec.container({ ...target, pod: 'crashing' }, { command }))
    expect(failure.message).toContain('crashing')
  })

  test('a pod, a container, a selector that isn’t there', async () => {
    expect((await refusal(opened.exec.container({ ...target, pod: 'nobody' }, { command }))).message).toContain(
      'nobody',
    )
    expect((await refusal(opened.exec.container({ ...target, container: 'other' }, { command }))).message).toContain(
      'other',
    )
    const { container } = target
    const nothing = await refusal(opened.exec.container({ selector: 'app=nobody', namespace, container }, { command }))
    expect(nothing.message).toContain('app=nobody')
  })

  test('a selector finds its one pod', async () => {
    const { container } = target
    const result = await opened.exec.container(
      { selector: 'app=busybox', namespace, container },
      { command: ['hostname'] },
    )
    expect(result.stdout.trim()).toBe('busybox')
  })
})

describe('a connection that fails', () => {
  test('fault F22: cut in the middle of a dump, it is no success', async () => {
    const proxy = await startProxy()
    await using through = await openExec({ kubeconfig: proxy.kubeconfig })
    let seen = 0
    const sink: Sink = {
      write: async (chunk) => {
        seen += chunk.length
        if (seen > 2 ** 20) proxy.cut()
      },
    }
    const command = ['/bin/sh', '-c', 'while :; do head -c 65536 /dev/zero; done'] as const
    const failure = await refusal(through.exec.container(target, { command, stdout: sink, timeout: '60s' }))
    proxy.close()
    expect(failure.code).toBe('EXEC_LOST')
    expect(failure.retryable).toBe(true)
  })

  test('fault F24: half open, it is noticed', async () => {
    const proxy = await startProxy()
    await using through = await openExec({ kubeconfig: proxy.kubeconfig })
    const command = ['/bin/sh', '-c', 'echo begun; sleep 600'] as const
    const failure = await refusal(
      through.exec.container(target, { command, onLine: () => proxy.freeze(), timeout: '100s' }),
    )
    proxy.close()
    expect(failure.code).toBe('EXEC_LOST')
  })
})
