import { chmodSync, lstatSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '@holdfast/sdk'
import { reasonOf, type RuntimeClock } from '@holdfast/runtime'
import { errors } from '../errors.ts'
import type { Answer } from './pages.ts'
import { closeServer, createPageServer } from './server.ts'

/** One more byte than a socket's path may have on some systems. */
const pathLimit = 100

/** What {@link openSocket} needs. */
export interface SocketOptions {
  readonly stateDirectory: string
  readonly answer: Answer
  readonly clock: Pick<RuntimeClock, 'setTimer'>
  readonly log: Logger
}

/** The socket at which the daemon of a state directory is asked how it is; bin/health.js knows it by this name. */
export function socketFile(stateDirectory: string): string {
  return join(stateDirectory, 'http.sock')
}

/**
 * Serves the pages at the state directory's socket, which nobody but this user can open. What a killed process has left
 * there is replaced; where the state directory can have no socket, it has a link to one.
 *
 * @returns closes it
 */
export async function openSocket(options: SocketOptions): Promise<() => Promise<void>> {
  const { stateDirectory, log } = options
  const file = socketFile(stateDirectory)
  let last: unknown
  for (const place of [serveBeside, serveElsewhere]) {
    try {
      return await place(file, options)
    } catch (error) {
      last ??= error
    }
  }
  const failure = errors.HTTP_SOCKET({ path: file, reason: reasonOf(last) })
  log.warn(failure.message, { error: failure })
  return async () => {}
}

/** It gets its name when it is ours alone: whoever asks sees the socket before or this one. */
async function serveBeside(file: string, options: SocketOptions): Promise<() => Promise<void>> {
  const fresh = `${file}.${process.pid}`
  rmSync(fresh, { force: true })
  const close = await serve(fresh, options)
  try {
    renameSync(fresh, file)
  } catch (error) {
    await close()
    rmSync(fresh, { force: true })
    throw error
  }
  return unless(isReplaced(file), file, close)
}

/** For paths that are too long, and file systems without sockets. */
async function serveElsewhere(file: string, options: SocketOptions): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-'))
  const removeDirectory = (): void => rmSync(directory, { recursive: true, force: true })
  try {
    const close = await serve(join(directory, 's'), options)
    const fresh = `${file}.${process.pid}`
    rmSync(fresh, { force: true })
    symlinkSync(join(directory, 's'), fresh)
    renameSync(fresh, file)
    const closeAndUnlink = unless(isReplaced(file), file, close)
    return async () => {
      await closeAndUnlink()
      removeDirectory()
    }
  } catch (error) {
    removeDirectory()
    throw error
  }
}

async function serve(path: string, { answer, clock }: SocketOptions): Promise<() => Promise<void>> {
  if (Buffer.byteLength(path) >= pathLimit) throw new Error('its path is too long for a socket')
  const server = createPageServer(answer, clock)
  // Whatever happens to it later, the daemon goes on.
  server.on('error', () => {})
  server.listen(path)
  await once(server, 'listening')
  chmodSync(path, 0o600)
  return () => closeServer(server)
}

/** Remembers a file: the next daemon may have put its own there before this one has ended. */
function isReplaced(file: string): () => boolean {
  const { ino } = lstatSync(file)
  return () => lstatSync(file, { throwIfNoEntry: false })?.ino !== ino
}

function unless(isGone: () => boolean, file: string, close: () => Promise<void>): () => Promise<void> {
  return async () => {
    if (!isGone()) rmSync(file, { force: true })
    await close()
  }
}
