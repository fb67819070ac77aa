import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Artifact, Sink } from '@holdfast/sdk'
import { describe, expect, onTestFinished, test } from 'vitest'
import { decodeFrames, encodeFrame } from '../src/artifact-frames.ts'
import { ArtifactServer } from '../src/artifact-server.ts'
import { directoryWith, sh } from './support/files.ts'
import { scriptPath, scriptRun, type ScriptRun } from './support/run.ts'

async function artifactsOf(run: ScriptRun): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of run.test.engine.store().list({ plan: 'test' })) names.push(name)
  return names.toSorted()
}

/** A part and the whole of a file that takes several frames. */
const megabytes = (count: number) => `head -c ${count * 1024 * 1024} /dev/urandom`

describe('save_artifact', () => {
  test('saves standard input and files, several per script, each byte of them', async () => {
    const copy = join(directoryWith(), 'copy')
    const run = await scriptRun({
      'backups/1': sh(
        `${megabytes(5)} > ${copy}`,
        `save_artifact file ${copy}`,
        `cat ${copy} | save_artifact "from a pipe"`,
      ),
      'backups/2': sh('printf x | save_artifact ../odd/name'),
      'verify_backups/sum': sh(
        '[ "$(sha256sum | cut -d" " -f1)" = "$HOLDFAST_ARTIFACT_SHA256" ] && echo "$HOLDFAST_ARTIFACT_NAME $HOLDFAST_ARTIFACT_SIZE"',
      ),
    })
    const { outcome } = await run.run()
    expect(outcome.error).toBeUndefined()
    expect(outcome.status).toBe('succeeded')
    expect(run.output()).toEqual(['file 5242880', 'from a pipe 5242880', '../odd/name 1'])
    const [file] = outcome.targets[0]?.points ?? []
    expect(file?.ref).toMatchObject({ sha256: createHash('sha256').update(readFileSync(copy)).digest('hex') })
  })

  test('stores at once and commits only when the script has exited with 0', async () => {
    const gate = join(directoryWith(), 'gate')
    const run = await scriptRun({
      'backups/1': sh(`echo data | save_artifact one; echo saved; while [ ! -e ${gate} ]; do sleep 0.02; done`),
    })
    const result = run.run()
    await run.printed('saved')
    expect(await artifactsOf(run)).toEqual([])
    writeFileSync(gate, '')
    await result
    expect(await artifactsOf(run)).toEqual(['one'])
  })

  test('fault F46: a dump that fails after part of its output is not kept', async () => {
    const run = await scriptRun({
      'backups/1': '#!/usr/bin/env bash\nset -euo pipefail\n(printf half; exit 1) | save_artifact dump\n',
    })
    const { outcome } = await run.run()
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'SCRIPT_FAILED', details: { exitCode: 1 } } })
    expect(await artifactsOf(run)).toEqual([])
  })

  test('fault F46: a script that fails after it has saved keeps nothing of it; what earlier scripts saved stays', async () => {
    const run = await scriptRun({
      'backups/1': sh('echo one | save_artifact one'),
      'backups/2': sh('echo two | save_artifact two; exit 7'),
    })
    expect((await run.run()).outcome.error).toMatchObject({ code: 'SCRIPT_FAILED', details: { exitCode: 7 } })
    expect(await artifactsOf(run)).toEqual(['one'])
  })

  test('fault F46: a dump of 0 bytes with exit code 0 is not kept, even where the script does not look', async () => {
    const run = await scriptRun({ 'backups/1': sh('true | save_artifact dump; echo "exit $?"') })
    const { outcome } = await run.run()
    expect(run.output()).toEqual([
      expect.stringMatching(/^save_artifact: "dump" was not saved: it has no bytes/),
      'exit 1',
    ])
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { code: 'SCRIPT_ARTIFACT_LOST', details: { artifact: 'dump', script: scriptPath(run, 'backups/1') } },
    })
    expect(await artifactsOf(run)).toEqual([])
  })

  test('fault F46: a save_artifact that was killed is not the end of the data', async () => {
    const run = await scriptRun({
      'backups/1': sh(
        'mkfifo pipe; save_artifact dump < pipe & pid=$!',
        // More than a pipe holds: whoever takes it in has said what it is saving.
        'exec 3> pipe; head -c 1000000 /dev/zero >&3',
        'kill -9 $pid; wait $pid; echo "exit $?"; exec 3>&-; rm pipe',
      ),
    })
    const { outcome } = await run.run()
    expect(run.output()).toContain('exit 137')
    expect(outcome).toMatchObject({
      status: 'failed',
      error: {
        code: 'SCRIPT_ARTIFACT_LOST',
        message: expect.stringMatching(/was ended before it had sent everything/),
      },
    })
    expect(await artifactsOf(run)).toEqual([])
  })

  describe('fault F46: a save_artifact that is killed before it has said a word', () => {
    // What runs in the place of its Node is killed as that might be: for want of memory.
    const killed = (name: string) => `echo data | HOLDFAST_NODE=$PWD/killed save_artifact ${name}; echo "exit $?"`
    const prepare = `printf '#!/bin/sh\\nkill -9 $$\\n' > killed; chmod +x killed`

    test('fails its script, also one that does not look', async () => {
      const run = await scriptRun({
        'backups/1': sh(prepare, killed('"the dump"'), 'echo other | save_artifact other; rm killed'),
      })
      const { outcome } = await run.run()
      expect(run.output()).toContain('exit 137')
      expect(outcome).toMatchObject({
        status: 'failed',
        error: {
          code: 'SCRIPT_ARTIFACT_LOST',
          message: expect.stringMatching(/"the dump" of .* was not saved: save_artifact was ended before/),
        },
      })
    })

    test('is made up for by the next that saves the same', async () => {
      const run = await scriptRun({
        'backups/1': sh(prepare, killed('dump'), 'rm killed; echo data | save_artifact dump'),
      })
      expect((await run.run()).outcome.status).toBe('succeeded')
      expect(await artifactsOf(run)).toEqual(['dump'])
    })

    test('is not made up for by what was saved before it', async () => {
      const run = await scriptRun({
        'backups/1': sh('echo data | save_artifact dump', prepare, killed('dump'), 'rm killed'),
      })
      expect((await run.run()).outcome).toMatchObject({ status: 'failed', error: { code: 'SCRIPT_ARTIFACT_LOST' } })
    })
  })

  test('called without a name, nothing is saved, so it fails the script; asked for help, it does not', async () => {
    const run = await scriptRun({
      'backups/1': sh('save_artifact --help; echo data | save_artifact data'),
      'backups/2': sh('echo data | save_artifact "$not_set"; true'),
    })
    expect((await run.run()).outcome.error).toMatchObject({
      code: 'SCRIPT_ARTIFACT_LOST',
      details: { script: scriptPath(run, 'backups/2') },
    })
    expect(await artifactsOf(run)).toEqual(['data'])
  })

  test('fault F46: a script that ends while it is still being saved keeps nothing of it', async () => {
    const run = await scriptRun({
      'backups/1': sh(
        '(head -c 1000000 /dev/zero; touch sent; exec sleep 1000) | save_artifact dump > /dev/null 2>&1 &',
        'until [ -e sent ]; do sleep 0.02; done; rm sent',
      ),
    })
    const { outcome } = await run.run()
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { code: 'SCRIPT_ARTIFACT_LOST', message: expect.stringMatching(/script ended while/) },
    })
    expect(await artifactsOf(run)).toEqual([])
  })

  test('a file that is missing, or no file, is a clear error', async () => {
    const run = await scriptRun({
      'backups/1': sh(
        'save_artifact a /nonexistent/file; echo "exit $?"; save_artifact b /etc; echo "exit $?"; echo x | save_artifact a; echo x | save_artifact b',
      ),
    })
    // Saved again with success, so nothing is missing in the end.
    expect((await run.run()).outcome.status).toBe('succeeded')
    expect(run.output()).toEqual([
      'save_artifact: "a" was not saved: /nonexistent/file is not there',
      'exit 1',
      'save_artifact: "b" was not saved: /etc is a directory; save a file, or pipe a tar of it',
      'exit 1',
    ])
    expect(await artifactsOf(run)).toEqual(['a', 'b'])
  })

  test('a name that was taken is a clear error, in one script or two', async () => {
    const run = await scriptRun({
      'backups/1': sh('echo x | save_artifact a'),
      'backups/2': sh('echo y | save_artifact a; echo "exit $?"'),
    })
    const { outcome } = await run.run()
    expect(run.output()).toEqual([
      expect.stringMatching(/^save_artifact: "a" was not saved: there is already an artifact "a"/),
      'exit 1',
    ])
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'SCRIPT_ARTIFACT_LOST' } })
  })

  test('belongs into backups: other hooks are told so', async () => {
    const say = sh('save_artifact x < /dev/zero; echo "exit $?"')
    const run = await scriptRun({
      'before_backups/1': say,
      'backups/1': sh('echo d | save_artifact d'),
      'after_backups/1': say,
    })
    expect((await run.run()).outcome.status).toBe('succeeded')
    expect(run.output()).toEqual(
      [...Array(2)].flatMap(() => [expect.stringMatching(/^save_artifact: .*backups directory/), 'exit 1']),
    )
  })

  test('the path of its socket stays short, however long that of the state directory is', async () => {
    const root = mkdtempSync(join(tmpdir(), 'long-'))
    onTestFinished(() => rmSync(root, { recursive: true, force: true }))
    const stateDirectory = join(root, 'x'.repeat(100))
    mkdirSync(stateDirectory)
    const run = await scriptRun(
      { 'backups/1': sh('echo "$HOLDFAST_ARTIFACT_SOCKET"; echo x | save_artifact a') },
      { test: { stateDirectory } },
    )
    expect((await run.run()).outcome.status).toBe('succeeded')
    const [socket = ''] = run.output()
    expect(Buffer.byteLength(socket)).toBeLessThan(100)
    expect(existsSync(join(socket, '..'))).toBe(false)
  })
})

describe('the receiving end', () => {
  /** A server whose store takes its time, and what it has stored. */
  async function server(write: (chunk: Uint8Array) => Promise<void> = async () => {}) {
    const stored = new Map<string, number>()
    const createArtifact = async (name: string, produce: (sink: Sink) => unknown): Promise<Artifact> => {
      let size = 0
      await produce({
        async write(chunk) {
          await write(chunk)
          size += chunk.length
        },
      })
      stored.set(name, size)
      return {} as Artifact
    }
    const log = { debug() {}, info() {}, warn() {}, error() {} }
    const listening = await ArtifactServer.listen({ createArtifact, log, workspace: async () => directoryWith() })
    onTestFinished(() => listening.close())
    const env = listening.begin('/scripts/backups/x')
    const open = () => connect(env.HOLDFAST_ARTIFACT_SOCKET ?? '')
    const hello = (name: string, token = env.HOLDFAST_ARTIFACT_TOKEN) =>
      encodeFrame('H', JSON.stringify({ version: 1, token, name, pid: 1 }))
    return { listening, stored, open, hello }
  }

  const answers = async (socket: AsyncIterable<Buffer>): Promise<string[]> => {
    const seen: string[] = []
    for await (const { type, payload } of decodeFrames(socket)) {
      seen.push(`${type}${payload.toString()}`)
      // The run keeps the connection until the script has ended; a client doesn't.
      if (type === 'S') break
    }
    return seen
  }
  const size = (bytes: number) => {
    const payload = Buffer.alloc(8)
    payload.writeBigUInt64BE(BigInt(bytes))
    return encodeFrame('E', payload)
  }

  test('takes frames however the stream is cut', async () => {
    const { listening, stored, open, hello } = await server()
    const socket = open()
    const bytes = Buffer.concat([hello('a'), encodeFrame('D', 'abc'), encodeFrame('D', 'def'), size(6)])
    for (const byte of bytes) socket.write(Buffer.of(byte))
    expect(await answers(socket)).toEqual(['G', 'S'])
    await listening.end(true)
    expect([...stored]).toEqual([['a', 6]])
  })

  test.each([
    [
      'a strange token',
      (hello: (name: string, token?: string) => Buffer) => [hello('a', 'guess')],
      /^Fthe script that called has already ended/,
    ],
    [
      'another version',
      () => [encodeFrame('H', JSON.stringify({ version: 2 }))],
      /^Fsave_artifact and this run are of different versions/,
    ],
    ['no greeting', () => [encodeFrame('D', 'x')], /^Fexpected a greeting/],
    [
      'too few bytes',
      (hello: (name: string) => Buffer) => [hello('a'), encodeFrame('D', 'x'), size(2)],
      /^F1 of 2 bytes arrived/,
    ],
    [
      'an unknown frame',
      (hello: (name: string) => Buffer) => [hello('a'), encodeFrame('Q', 'x')],
      /^Funexpected frame of type "Q"/,
    ],
    [
      'a frame that is too long',
      (hello: (name: string) => Buffer) => [hello('a'), Buffer.from([81, 255, 0, 0, 0])],
      /^Fa frame of type "Q" is/,
    ],
  ])('refuses %s and stores nothing', async (_what, frames, answer) => {
    const { listening, stored, open, hello } = await server()
    const socket = open()
    for (const frame of frames(hello)) socket.write(frame)
    expect((await answers(socket)).at(-1)).toMatch(answer)
    await listening.end(false)
    expect(stored.size).toBe(0)
  })

  test('a store that fails is heard by the client, although it is still sending', async () => {
    const { listening, open, hello } = await server(() => Promise.reject(new Error('no space left')))
    const socket = open()
    socket.write(hello('a'))
    const sending = (async () => {
      for (let i = 0; i < 100; i++) socket.write(encodeFrame('D', Buffer.alloc(65_536)))
    })()
    expect(await answers(socket)).toEqual(['G', 'Fno space left'])
    await sending
    await expect(listening.end(true)).rejects.toMatchObject({
      code: 'SCRIPT_ARTIFACT_LOST',
      message: expect.stringContaining('no space left'),
    })
  })

  test('a slow store slows the client down, nothing piles up', async () => {
    let release: (() => void) | undefined
    const { listening, stored, open, hello } = await server(() => new Promise((resolve) => (release = resolve)))
    const socket = open()
    socket.write(hello('a'))
    const total = 32 * 1024 * 1024
    const chunk = Buffer.alloc(1024 * 1024)
    let sent = 0
    const sending = (async () => {
      for (; sent < total; sent += chunk.length) {
        if (!socket.write(encodeFrame('D', chunk))) await new Promise((resolve) => socket.once('drain', resolve))
      }
      socket.write(size(total))
    })()
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(sent).toBeLessThan(8 * 1024 * 1024)
    const flow = setInterval(() => release?.(), 0)
    const answered = answers(socket)
    await sending
    expect(await answered).toEqual(['G', 'S'])
    clearInterval(flow)
    await listening.end(true)
    expect(stored.get('a')).toBe(total)
  })
})
