import { randomBytes } from 'node:crypto'
import type { ExecRequest } from '@holdfast/sdk'
import type { CheckedRequest } from '../request.ts'
import { wrapperScript } from './wrapper-script.ts'

/** How much is proven of standard output. */
export type Integrity = NonNullable<ExecRequest['integrity']>

/** What is sent so that a shell in the container runs a command for us. */
export interface Wrapping {
  /** The marker of all its processes. */
  readonly id: string
  readonly argv: readonly string[]
  /** Stands before each mark on standard error. */
  readonly prefix: string
  /** Comes first on standard input. */
  readonly header: string
}

/** Options of {@link wrap}. */
export interface WrapOptions {
  readonly request: Pick<CheckedRequest, 'file' | 'args' | 'cwd' | 'ownEnv'>
  readonly integrity: Integrity
  /** Whether output that is proven may wait until there are 64 KiB of it: much faster. */
  readonly blocks: boolean
  /** Whether the command reads what follows the header; else it reads the end at once. */
  readonly stdin: boolean
}

/** The variable that marks the processes of an exec. */
export const markerName = 'HOLDFAST_EXEC'

/**
 * Wraps a command. Arguments go as arguments, so that they arrive as they are; values of variables go by the header, so
 * that nobody sees them: a URL and the arguments of a process are public.
 */
export function wrap({ request, integrity, blocks, stdin }: WrapOptions): Wrapping {
  const { file, args, cwd, ownEnv } = request
  const id = randomBytes(8).toString('hex')
  // Not the marker, which the command sees: it must not be able to print a mark.
  const prefix = `holdfast ${randomBytes(16).toString('hex')} `
  const variables = Object.entries(ownEnv)
  const lines = [
    prefix,
    integrity,
    blocks ? 'blocks' : 'flow',
    stdin ? 'stdin' : 'none',
    encode(cwd === undefined ? '' : pathOf(cwd)),
    String(variables.length),
    ...variables.map(([name, value]) => `${name}=${encode(value)}`),
  ]
  return {
    id,
    argv: ['/bin/sh', '-c', wrapperScript, 'holdfast', `${markerName}=${id}`, file, ...args],
    prefix,
    header: lines.map((line) => `${line}\n`).join(''),
  }
}

/** Whether a shell can set a variable of this name. */
export function isShellName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !name.startsWith('__hf_')
}

/** For `cd`, which takes `-` for something else and looks names up in CDPATH. */
function pathOf(cwd: string): string {
  return cwd.startsWith('/') ? cwd : `./${cwd}`
}

/** As `printf %b` reads it: printable ASCII as it is, any other byte in octal. */
function encode(value: string): string {
  if (/^[ -[\]-~]*$/.test(value)) return value
  return [...Buffer.from(value)]
    .map((byte) =>
      byte < 32 || byte > 126 || byte === 92 ? `\\0${byte.toString(8).padStart(3, '0')}` : String.fromCharCode(byte),
    )
    .join('')
}
