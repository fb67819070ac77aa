import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { killerScript } from '../../src/exec/container/killer-script.ts'
import { wrap, type WrapOptions } from '../../src/exec/container/wrapper.ts'
import { isAlive, kill, scratch, until } from './support.ts'

/** Every shell of this machine that may be a container's /bin/sh, called by that name. */
const shells = [
  { name: 'dash', command: ['/usr/bin/dash'] as const },
  { name: 'BusyBox', command: ['/usr/bin/busybox', 'sh'] as const },
  { name: 'bash', command: ['/usr/bin/bash'] as const },
].map((shell) => ({ ...shell, there: existsSync(shell.command[0]) }))
const nothing = scratch()
const printArgv = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))'
const long = process.env['HOLDFAST_TEST_LONG'] === '1'

/**
 * Any character. For `unit: 'binary'` fast-check makes a table of them all, of 200 MB, which every later start of a process
 * pays for.
 */
const character = fc
  .integer({ min: 0, max: 0x10ffff })
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code))

it('dash is there, which most containers have', () => {
  expect(shells.find(({ name }) => name === 'dash')?.there).toBe(true)
})

interface Ended {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: Buffer
  /** What the wrapper said, without the prefix. */
  readonly marks: readonly string[]
}

/** What was printed before the end that the wrapper writes; nothing is cut off where there is none. */
function withoutEnd(output: Buffer, end: string): Buffer {
  return output.subarray(output.length - end.length).toString('latin1') === end
    ? output.subarray(0, output.length - end.length)
    : output
}

for (const { name, command, there } of shells) {
  describe.skipIf(!there)(`the wrapper in ${name}${there ? '' : ' (NOT TESTED: it is not installed here)'}`, () => {
    const start = (options: Partial<WrapOptions['request']> & Partial<Omit<WrapOptions, 'request'>>) => {
      const {
        file = 'true',
        args = [],
        cwd,
        ownEnv = {},
        integrity = 'status',
        stdin = false,
        blocks = false,
      } = options
      const wrapping = wrap({ request: { file, args, cwd, ownEnv }, integrity, blocks, stdin })
      const child = spawn(command[0], [...command.slice(1), ...wrapping.argv.slice(1)], {
        detached: true,
        argv0: command.length === 1 ? 'sh' : command[0],
        env: { PATH: process.env['PATH'], KEPT: 'kept' },
      })
      child.stdin.on('error', () => {})
      return { wrapping, child }
    }
    const run = async (options: Parameters<typeof start>[0], input: Uint8Array | string = ''): Promise<Ended> => {
      const { wrapping, child } = start(options)
      child.stdin.write(wrapping.header)
      child.stdin.end(input)
      const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []]
      child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
      child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
      const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
      const said = Buffer.concat(stderr).toString('latin1')
      const marks = said.split(wrapping.prefix).slice(1)
      return {
        code,
        stdout: withoutEnd(Buffer.concat(stdout), `${wrapping.prefix}end\n`),
        stderr: Buffer.from(said.replaceAll(new RegExp(`${wrapping.prefix}.*\n`, 'g'), ''), 'latin1'),
        marks: marks.map((mark) => mark.split('\n', 1)[0] ?? ''),
      }
    }

    it('fault F32: arguments arrive unchanged, whatever is in them', async () => {
      const odd = fc.constantFrom(
        '',
        '-n',
        '--',
        '$HOME',
        '`id`',
        "it's",
        '"',
        '\\',
        '\\n',
        '\n',
        '*',
        ' ',
        '\t\r',
        'ü',
        '日本',
      )
      const argument = fc.oneof(odd, fc.string({ unit: character }), fc.string()).filter((text) => !text.includes('\0'))
      await fc.assert(
        fc.asyncProperty(
          fc.array(argument, { maxLength: 8 }),
          fc.constantFrom('status', 'bytes'),
          async (args, integrity) => {
            const wellFormed = args.map((text) => text.toWellFormed())
            const ended = await run({ file: process.execPath, args: ['-e', printArgv, '--', ...wellFormed], integrity })
            expect(JSON.parse(ended.stdout.toString())).toEqual(wellFormed)
          },
        ),
        { numRuns: long ? 100 : 5 },
      )
    })

    it('fault F32: 128 KiB of arguments, one of 131,071 bytes', async () => {
      const args = ['\'"$`\\\n'.repeat(21_845) + 'x', 'y'.repeat(1024)]
      expect(Buffer.byteLength(args[0] ?? '')).toBe(131_071)
      const ended = await run({ file: process.execPath, args: ['-e', printArgv, '--', ...args] })
      expect(JSON.parse(ended.stdout.toString())).toEqual(args)
    })

    it('values of variables arrive unchanged, newlines and all', async () => {
      const every = String.fromCharCode(...Array.from({ length: 255 }, (_, at) => at + 1))
      const ownEnv = {
        EVERY: every,
        END: 'two newlines\n\n',
        EMPTY: '',
        SPACES: '  x  ',
        ESCAPE: '\\n\\0101%s',
        UNICODE: 'Ááâ日本😀',
      }
      const print = 'process.stdout.write(JSON.stringify(process.env))'
      const { stdout } = await run({ file: process.execPath, args: ['-e', print], ownEnv })
      expect(JSON.parse(stdout.toString())).toMatchObject({ ...ownEnv, KEPT: 'kept' })
    })

    it('the header takes none of the input that follows it', async () => {
      const input = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 7) % 256))
      for (const [integrity, blocks] of [
        ['status', false],
        ['sha256', false],
        ['sha256', true],
      ] as const) {
        const { stdout, marks } = await run(
          { file: 'cat', stdin: true, integrity, blocks, ownEnv: { A: 'a\nb' } },
          input,
        )
        expect(stdout.equals(input)).toBe(true)
        const digest = createHash('sha256').update(input).digest('hex')
        expect(marks).toEqual(['ready', 'exit 0', ...(integrity === 'status' ? [] : [`sum ${digest}  -`])])
      }
    })

    it('a command that is given no input reads its end at once', async () => {
      const { stdout } = await run({ file: 'cat' }, 'not for it')
      expect(stdout.toString()).toBe('')
    })

    it('stays until it is told that all has arrived, or nobody is there any more, whatever its environment says', async () => {
      for (const told of [true, false]) {
        const { child, wrapping } = start({ file: 'echo', args: ['all'], ownEnv: { TMOUT: '1' } })
        let stdout = ''
        child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('latin1')))
        child.stdin.write(wrapping.header)
        await until(() => stdout === `all\n${wrapping.prefix}end\n`)
        // That of bash goes by seconds.
        if (name === 'bash' && told) await new Promise((resolve) => setTimeout(resolve, 1200))
        expect(child.exitCode).toBeNull()
        const ended = new Promise((resolve) => child.once('exit', resolve))
        if (told) child.stdin.write('\n')
        else child.stdin.end()
        expect(await ended).toBe(0)
        child.stdin.end()
      }
    })

    it('exit codes are kept, of signals too, and no shell says a word about them', async () => {
      for (const integrity of ['status', 'bytes'] as const) {
        for (const code of [0, 1, 126, 127, 137, 255]) {
          const { code: got, marks, stderr } = await run({ file: 'sh', args: ['-c', `exit ${code}`], integrity })
          expect([got, marks[1], stderr.toString()]).toEqual([code, `exit ${code}`, ''])
        }
        const { code, stderr } = await run({ file: 'sh', args: ['-c', 'kill -SEGV $$'], integrity })
        expect([code, stderr.toString()]).toEqual([139, ''])
      }
    })

    it('runs programs, not builtins of the same name', async () => {
      // The builtin of dash makes a newline of it.
      expect((await run({ file: 'echo', args: ['a\\nb'] })).stdout.toString()).toBe('a\\nb\n')
      const { code, stderr } = await run({ file: 'exit', args: ['3'] })
      expect([code, stderr.toString()]).toEqual([127, expect.stringContaining('not found')])
    })

    it.each([false, true])('counts what was written and says it, byte by byte; in blocks: %s', async (blocks) => {
      const args = ['-c', 'head -c 300000 /dev/zero; printf err >&2; exit 4']
      const counted = await run({ file: 'sh', args, integrity: 'bytes', blocks })
      expect(counted).toMatchObject({ code: 4, marks: ['ready', 'exit 4', 'sum 300000'] })
      expect(counted.stderr.toString()).toBe('err')
      expect(counted.stdout.length).toBe(300_000)
    })

    it('shows at once what it counts, unless it may wait for blocks', async () => {
      const args = ['-c', 'echo "a line"; read end']
      const { wrapping, child } = start({ file: 'sh', args, integrity: 'bytes', stdin: true })
      child.stdin.write(wrapping.header)
      const [first] = (await once(child.stdout, 'data')) as [Buffer]
      expect(first.toString()).toBe('a line\n')
      child.stdin.end()
      await once(child, 'close')
    })

    it('says what it cannot do, and starts nothing', async () => {
      expect((await run({ file: 'echo', cwd: '/nowhere' })).marks).toEqual(['error cwd'])
    })

    it('finds its own tools, whatever PATH the command gets', async () => {
      const { marks } = await run({ file: '/bin/echo', ownEnv: { PATH: '/nowhere' }, integrity: 'sha256' })
      expect(marks).toEqual(['ready', 'exit 0', expect.stringMatching(/^sum 01ba4719c80b6fe9/)])
    })

    it('starts nothing when the header does not come whole', async () => {
      const { wrapping, child } = start({ file: 'echo', args: ['started'], ownEnv: { A: 'a', B: 'b' } })
      child.stdin.end(wrapping.header.slice(0, -3))
      const output: Buffer[] = []
      child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
      expect(await new Promise((resolve) => child.once('close', resolve))).toBe(125)
      expect(Buffer.concat(output).toString()).toBe('')
    })

    it('starts in a directory with an odd name, whatever CDPATH says', async () => {
      const { stdout, marks } = await run({ file: 'pwd', cwd: '-', ownEnv: { CDPATH: '/' } })
      expect([stdout.toString(), marks]).toEqual(['', ['error cwd']])
      expect((await run({ file: 'pwd', cwd: '/tmp/..' })).stdout.toString()).toBe('/\n')
    })

    it.each(['with grep', 'without grep'])(
      'the killer finds all that it started, and nothing else, %s',
      async (how) => {
        const bystander = spawn('sleep', ['86400'], { detached: true })
        const family = [
          'sleep 86400 & echo $!',
          // Left the session; lost its environment; both.
          'setsid sleep 86400 & echo $!',
          'env -i sleep 86400 & echo $!',
          '(exec env -i setsid env -i sleep 86400) & echo $!',
          "(trap '' TERM; exec sleep 86400) & echo $!",
          'wait',
        ].join('\n')
        const { wrapping, child } = start({ file: 'sh', args: ['-c', family], integrity: 'bytes' })
        let output = ''
        const pids = (): number[] => output.trim().split('\n').map(Number)
        onTestFinished(() => {
          for (const pid of [...pids(), bystander.pid, child.pid]) if (pid) kill(pid)
        })
        child.stdin.end(wrapping.header)
        child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
        await until(() => pids().length === 5)
        const killer = spawn(command[0], [...command.slice(1), '-c', killerScript, 'holdfast', wrapping.id], {
          argv0: command.length === 1 ? 'sh' : command[0],
          env: how === 'with grep' ? process.env : { PATH: nothing },
        })
        onTestFinished(() => void killer.stdin.end())
        const order = async (what: string): Promise<string> => {
          const answer = new Promise<string>((resolve) =>
            killer.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())),
          )
          killer.stdin.write(`${what}\n`)
          return answer
        }
        const [found] = (await order('look')).split(' ').map(Number)
        expect(found).toBeGreaterThanOrEqual(pids().length)
        await order('TERM')
        await until(() => pids().filter(isAlive).length === 1)
        const [left] = (await order('look')).split(' ').map(Number)
        expect(left).toBeGreaterThanOrEqual(1)
        await order('KILL')
        await until(() => pids().filter(isAlive).length === 0)
        // Shells that waited for them end a little later.
        let seen = ''
        for (const end = performance.now() + 15_000; seen !== '0 0' && performance.now() < end;)
          seen = await order('look')
        expect(seen).toBe('0 0')
        expect(isAlive(bystander.pid ?? 0)).toBe(true)
      },
    )
  })
}
