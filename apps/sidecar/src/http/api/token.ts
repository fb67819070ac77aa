import { createHash, timingSafeEqual } from 'node:crypto'
import { open } from 'node:fs/promises'
import { reasonOf, type Redactor } from '@holdfast/runtime'
import { errors } from '../../errors.ts'

/** Fewer characters can be guessed. */
const leastLength = 16
const mostLength = 4096

/**
 * Whether a request has the token of a file. The file is read now: a token that was changed is another one from then on.
 *
 * @throws HoldfastError `API_TOKEN`, `API_TOKEN_FILE`
 */
export async function checkToken(
  path: string,
  authorization: string | undefined,
  redactor: Pick<Redactor, 'add'>,
): Promise<void> {
  const token = await readToken(path)
  redactor.add(token)
  const given = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
  // Digests are compared: they are equally long, and how much of them is alike tells nothing of the token.
  if (given === undefined || !timingSafeEqual(digestOf(given), digestOf(token))) throw errors.API_TOKEN({})
}

async function readToken(path: string): Promise<string> {
  const unusable = (reason: string): Error => errors.API_TOKEN_FILE({ path, reason })
  let text: string
  try {
    const file = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(mostLength + 1), 0, mostLength + 1, 0)
      text = buffer.toString('utf8', 0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw unusable(reasonOf(error))
  }
  const token = text.trim()
  if (Buffer.byteLength(text) > mostLength) throw unusable(`it is longer than ${mostLength} bytes`)
  if (token === '') throw unusable('it is empty')
  if (/\s/.test(token)) throw unusable('there is a blank in it')
  if (token.length < leastLength) throw unusable(`it has fewer than ${leastLength} characters`)
  return token
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
