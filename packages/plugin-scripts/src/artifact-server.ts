import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Sink, TargetContext } from '@holdfast/sdk'
import { answer, pump, readHello, reasonOf } from './artifact-conversation.ts'
import { decodeFrames, type Frame } from './artifact-frames.ts'
import { marksOf, unheard } from './artifact-marks.ts'
import type { ScriptEnvironment } from './environment.ts'
import { errors } from './errors.ts'

/** One more byte than a socket's path may have on some systems. */
const pathLimit = 100
const silent = 'save_artifact was ended before it had said what it saves'

type Context = Pick<TargetContext<unknown>, 'createArtifact' | 'log' | 'workspace'>

/** An artifact on its way, or what became of it. */
interface Save {
  /** `stored`: all bytes are in the store; it counts once its script has ended well. */
  readonly state: 'receiving' | 'stored' | 'failed'
  readonly socket: Socket
  /** Resolves when it is committed. */
  readonly done: Promise<unknown>
  /** Why it failed. */
  readonly reason?: string
  /** Tells it how its script ended. */
  readonly release: (well: boolean) => void
}

/** What one script saves. */
interface Batch {
  readonly script: string
  readonly token: string
  readonly saves: Map<string, Save>
  /** Names that were refused: of what was sent under them, nothing was kept. */
  readonly refused: Map<string, string>
  /** Ids of the processes that have said what they save. */
  readonly heard: number[]
}

/**
 * Takes in what `save_artifact` sends. The bytes go to the store at once; they become an artifact only when the script
 * that saved them has exited with 0.
 */
export class ArtifactServer {
  readonly #ctx: Context
  readonly #server: Server
  readonly #path: string
  /** What earlier scripts of this run have committed. */
  readonly #names = new Set<string>()
  readonly #sockets = new Set<Socket>()
  #batch: Batch | undefined

  private constructor(ctx: Context, path: string) {
    this.#ctx = ctx
    this.#path = path
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      // A client that goes away shows as the end of its frames.
      socket.on('error', () => {})
      void this.#serve(socket)
    })
  }

  /**
   * Listens in the run's workspace, or in a private directory with a shorter path.
   *
   * @throws HoldfastError `SCRIPT_ARTIFACT_SOCKET`
   */
  static async listen(ctx: Context): Promise<ArtifactServer> {
    let last: unknown
    for (const base of [await ctx.workspace(), tmpdir(), '/tmp']) {
      try {
        const path = join(await mkdtemp(join(base, 'holdfast-')), 's')
        const server = new ArtifactServer(ctx, path)
        await server.#listen()
        return server
      } catch (error) {
        // Too long a path, a file system that has no sockets, or one that can't be written to.
        last = error
      }
    }
    throw errors.SCRIPT_ARTIFACT_SOCKET({ reason: reasonOf(last) }, { cause: last })
  }

  async #listen(): Promise<void> {
    try {
      if (Buffer.byteLength(this.#path) >= pathLimit) throw new Error(`the path ${this.#path} is too long`)
      this.#server.listen(this.#path)
      await once(this.#server, 'listening')
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** From now on, what arrives is this script's. Returns what the script needs to know. */
  begin(script: string): ScriptEnvironment {
    const token = randomBytes(16).toString('hex')
    this.#batch = { script, token, saves: new Map(), refused: new Map(), heard: [] }
    return { HOLDFAST_ARTIFACT_SOCKET: this.#path, HOLDFAST_ARTIFACT_TOKEN: token }
  }

  /**
   * The script has ended: what it stored is committed, or dropped.
   *
   * @param well - whether it exited with 0
   * @throws HoldfastError `SCRIPT_ARTIFACT_LOST` when one of its artifacts was not saved although it exited with 0: a
   * shell without `set -e` forgets exit codes. Saving the name again with success makes up for it. Or what the store
   * threw at the commit.
   */
  async end(well: boolean): Promise<void> {
    const batch = this.#batch
    if (!batch) return
    this.#batch = undefined
    for (const { state, socket } of batch.saves.values()) {
      if (state === 'receiving') socket.destroy(new Error('the script ended while it was still being sent'))
    }
    const failures: unknown[] = []
    // One after the other: restore points are in the order in which they were saved.
    for (const [name, { release, done }] of batch.saves) {
      release(well)
      await done.catch((error: unknown) => {
        if (batch.saves.get(name)?.state === 'stored') failures.push(error)
      })
    }
    if (!well) return
    const lost = new Map(batch.refused)
    for (const name of unheard(marksOf(this.#path, batch.token), batch.heard)) lost.set(name, silent)
    for (const [artifact, { state, reason = '' }] of batch.saves) {
      if (state === 'failed') lost.set(artifact, reason)
      else this.#names.add(artifact)
    }
    for (const [artifact, reason] of lost) {
      throw errors.SCRIPT_ARTIFACT_LOST({ script: batch.script, artifact, reason })
    }
    if (failures.length > 0) throw failures[0]
  }

  /** Stops listening and removes what it made. */
  async close(): Promise<void> {
    await this.end(false)
    for (const socket of this.#sockets) socket.destroy()
    if (this.#server.listening) {
      await new Promise<void>((resolve) => this.#server.close(() => resolve()))
    }
    await rm(dirname(this.#path), { recursive: true, force: true })
  }

  async #serve(socket: Socket): Promise<void> {
    const frames = decodeFrames(socket.iterator({ destroyOnReturn: false }))
    try {
      const { token, name, pid } = await readHello(frames)
      const batch = this.#batch
      if (!batch || token !== batch.token) throw new Error('the script that called has already ended')
      batch.heard.push(pid)
      const before = batch.saves.get(name)
      if (this.#names.has(name) || (before && before.state !== 'failed')) {
        const reason = `there is already an artifact "${name}" in this run, and each needs a name of its own`
        batch.refused.set(name, reason)
        throw new Error(reason)
      }
      await this.#receive(batch, name, socket, frames)
    } catch (error) {
      answer(socket, 'F', reasonOf(error))
    } finally {
      // The client may still be sending; it hears the answer only if somebody takes that in.
      await frames.return(undefined).catch(() => {})
      socket.end()
      socket.resume()
    }
  }

  async #receive(batch: Batch, name: string, socket: Socket, frames: AsyncGenerator<Frame>): Promise<void> {
    const { promise: ended, resolve: release } = Promise.withResolvers<boolean>()
    // Why it ended early, in the words of whoever ended it.
    let cut: unknown
    const produce = async (sink: Sink): Promise<void> => {
      answer(socket, 'G')
      const size = await pump(frames, sink).catch((error: unknown) => {
        cut = error
        throw error
      })
      batch.saves.set(name, { state: 'stored', socket, done, release })
      this.#ctx.log.info(`stored "${name}", ${size} bytes`, { artifact: name, bytes: size })
      answer(socket, 'S')
      if (!(await ended)) throw new Error(`the script that saved "${name}" did not end well`)
    }
    const done: Promise<unknown> = this.#ctx.createArtifact(name, produce)
    batch.saves.set(name, { state: 'receiving', socket, done, release })
    try {
      await done
    } catch (error) {
      // Once stored, the client has gone: then the error is that of the commit, and `end` reports it.
      if (batch.saves.get(name)?.state === 'stored') return
      batch.saves.set(name, { state: 'failed', socket, done, release, reason: reasonOf(cut ?? error) })
      throw cut ?? error
    }
  }
}
