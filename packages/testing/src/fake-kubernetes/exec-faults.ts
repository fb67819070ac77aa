import type { StatusFailure } from './bad-days.ts'

/** Which execs a bad day is for. */
export interface ExecMatch {
  readonly pod?: string | undefined
  readonly container?: string | undefined
  /** The program: `argv[0]`. */
  readonly program?: string | undefined
  /** How often. Default: until it is ended. */
  readonly times?: number | undefined
}

/** An end without a status, and after how many bytes of stdout. Default: after all of them, in place of the status. */
interface Break {
  readonly kind: 'reset' | 'fin' | 'close' | 'close-1011' | 'half-open'
  readonly afterBytes?: number | undefined
}

interface Refusal extends StatusFailure {
  readonly kind: 'refused'
}

/**
 * How an exec goes wrong. The command runs all the same, unless it says otherwise. A bare name stands for the kind with its
 * defaults.
 *
 * No word about the end:
 * - `reset`, `fin`: the TCP connection goes
 * - `close`, `close-1011`: the websocket is closed, cleanly (1000) or not
 * - `half-open`: nothing is sent or read any more, pings neither; the connection stays
 *
 * A wrong word:
 * - `status`: this text or object on the status channel, such as one that is no JSON
 * - `truncated`: stdout stops after `bytes`, and the status is what it would have been
 * - `early-success`: Success comes first, then stdout
 * - `loses-rest`: what is still on its way when the command ends is lost, and the status is what it would have been
 *   (kubernetes#124571, seen with 1.34 whenever the client is slow)
 * - `late-stdout`: the last `bytes` of stdout come after the status
 *
 * Odd, but right:
 * - `v4-only`: the server knows no half-close
 * - `channel-255`, `unknown-channel`, `empty-frames`: frames that mean nothing to the client
 * - `split-frames`: frames of `size` bytes, which splits characters
 * - `slow-sender`, `slow-reader`: this many bytes of stdout, or of stdin, per second
 * - `flood`: nothing is run; `bytes` bytes of stdout, as fast as they are taken: byte number i is i modulo 251
 *
 * Never opened:
 * - `refused`: an HTTP status, with its body
 * - `never-opens`: the upgrade is not answered
 */
export type ExecFault =
  | Break['kind']
  | Break
  | { readonly kind: 'status'; readonly body: unknown }
  | { readonly kind: 'truncated'; readonly bytes: number }
  | 'early-success'
  | 'loses-rest'
  | { readonly kind: 'late-stdout'; readonly bytes: number }
  | 'v4-only'
  | 'channel-255'
  | 'unknown-channel'
  | 'empty-frames'
  | { readonly kind: 'split-frames'; readonly size: number }
  | { readonly kind: 'slow-sender' | 'slow-reader'; readonly bytesPerSecond: number }
  | { readonly kind: 'flood'; readonly bytes: number }
  | Refusal
  | 'never-opens'

/** What an exec does differently. */
export interface ExecPlan {
  protocols: readonly string[]
  refusal: StatusFailure | undefined
  opens: boolean
  flood: number | undefined
  frameSize: number
  sendRate: number
  readRate: number
  cutAt: number
  breaks: Break['kind'] | undefined
  breakAt: number
  status: string | undefined
  statusFirst: boolean
  losesRest: boolean
  heldBack: number
  /** Sent once, when it opens. */
  opening: readonly Uint8Array[]
  /** Whether each frame comes with empty ones. */
  emptyFrames: boolean
}

/** What all of the faults together come to. */
export function planOf(faults: readonly ExecFault[]): ExecPlan {
  const plan: ExecPlan = {
    protocols: ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
    refusal: undefined,
    opens: true,
    flood: undefined,
    frameSize: Infinity,
    sendRate: Infinity,
    readRate: Infinity,
    cutAt: Infinity,
    breaks: undefined,
    breakAt: Infinity,
    status: undefined,
    statusFirst: false,
    losesRest: false,
    heldBack: 0,
    opening: [],
    emptyFrames: false,
  }
  for (const fault of faults) {
    const { opening = [], ...change } = changeOf(fault)
    Object.assign(plan, change, { opening: [...plan.opening, ...opening] })
  }
  return plan
}

function changeOf(fault: ExecFault): Partial<ExecPlan> {
  if (typeof fault === 'object') {
    switch (fault.kind) {
      case 'status':
        return { status: typeof fault.body === 'string' ? fault.body : JSON.stringify(fault.body) }
      case 'truncated':
        return { cutAt: fault.bytes }
      case 'late-stdout':
        return { heldBack: fault.bytes }
      case 'split-frames':
        return { frameSize: fault.size }
      case 'slow-sender':
        return { sendRate: fault.bytesPerSecond }
      case 'slow-reader':
        return { readRate: fault.bytesPerSecond }
      case 'flood':
        return { flood: fault.bytes }
      case 'refused':
        return { refusal: fault }
      default:
        return { breaks: fault.kind, breakAt: fault.afterBytes ?? Infinity }
    }
  }
  switch (fault) {
    case 'early-success':
      return { statusFirst: true }
    case 'loses-rest':
      return { losesRest: true }
    case 'v4-only':
      return { protocols: ['v4.channel.k8s.io'] }
    case 'channel-255':
      return { opening: [Uint8Array.of(255, 0), Uint8Array.of(255, 1)] }
    case 'unknown-channel':
      return { opening: [Uint8Array.of(7, 1, 2, 3), Uint8Array.of(9)] }
    case 'empty-frames':
      return { emptyFrames: true, opening: [Uint8Array.of(0), Uint8Array.of(), Uint8Array.of(3)] }
    case 'never-opens':
      return { opens: false }
    default:
      return { breaks: fault }
  }
}
