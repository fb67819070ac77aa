import { createSecret, type ContainerRef, type Exec } from '@holdfast/sdk'
import { ConnectionFailure, type Answer, type Command, type CommandFailure, type Commands } from './commands.ts'
import { mongoshMark, mongoshScript } from './mongosh-script.ts'

/** Bytes of commands in one call: a variable may have 128 KiB. */
const longestBatch = 64 * 1024

/** Options of {@link openMongosh}. */
export interface OpenMongoshOptions {
  readonly exec: Exec
  readonly container: ContainerRef
  readonly uri: string
  readonly signal: AbortSignal
}

/** Sends commands by the mongosh of a container: the same server for sure that mongodump reaches there. */
export function openMongosh({ exec, container, uri, signal }: OpenMongoshOptions): Commands {
  const call = async (commands: string): Promise<readonly Answer[]> => {
    const { stdout } = await exec.container(container, {
      command: ['mongosh', '--nodb', '--norc', '--quiet', '--eval', mongoshScript],
      env: { HOLDFAST_MONGODB_URI: createSecret(uri), HOLDFAST_MONGODB_COMMANDS: commands },
      timeout: '15m',
      signal,
    })
    return readAnswers(stdout)
  }
  return {
    via: 'mongosh',
    async ask(commands) {
      const answers: Answer[] = []
      for (const batch of batches(commands)) answers.push(...(await call(batch)))
      if (answers.length === commands.length) return answers
      throw new ConnectionFailure(`mongosh gave ${answers.length} answers to ${commands.length} questions`)
    },
    close: async () => {},
  }
}

function batches(commands: readonly Command[]): readonly string[] {
  const all: string[] = []
  let batch: string[] = []
  let bytes = 0
  const flush = (): void => {
    if (batch.length > 0) all.push(`[${batch.join(',')}]`)
    batch = []
    bytes = 0
  }
  for (const command of commands) {
    const text = JSON.stringify(command)
    const size = Buffer.byteLength(text) + 1
    if (bytes + size > longestBatch) flush()
    bytes += size
    batch.push(text)
  }
  flush()
  return all
}

type Said = Answer | { readonly connection: CommandFailure } | 'end'

/** Other lines are mongosh's own, about its log or a newer version. */
function readAnswers(stdout: string): readonly Answer[] {
  const said = stdout
    .split('\n')
    .filter((line) => line.startsWith(mongoshMark))
    .map((line) => JSON.parse(line.slice(mongoshMark.length)) as Said)
  const answers: Answer[] = []
  for (const each of said) {
    if (each === 'end') return answers
    if ('connection' in each) throw new ConnectionFailure(each.connection.message, { code: each.connection.code })
    answers.push(each)
  }
  throw new ConnectionFailure('mongosh ended without an answer')
}
