import { mkdirSync } from 'node:fs'
import type { Services } from '../services.ts'
import { removeLeftover } from './leftovers.ts'
import { workspaceName } from './workspaces.ts'

/** One thing to give back; rejects only with errors worth reporting. */
type Give = () => Promise<void>

/**
 * What a hook has taken and must give back: undos, deferred clean-ups, workspaces. Closing gives everything back,
 * newest first, and all of it, whatever fails on the way.
 */
export class Scope {
  readonly #services: Pick<Services, 'stateDirectory' | 'process' | 'log'>
  #entries: Give[] = []
  #last: Give[] = []
  #workspaces: string[] = []
  #workspace: string | undefined
  #closed = false

  constructor(services: Pick<Services, 'stateDirectory' | 'process' | 'log'>) {
    this.#services = services
  }

  /** Whether its hook has ended: what is added now would never be given back. */
  get closed(): boolean {
    return this.#closed
  }

  /**
   * Runs at the end, before what was added earlier.
   *
   * @throws Error when it is closed
   */
  add(give: Give): void {
    this.#throwIfClosed()
    this.#entries.push(give)
  }

  /** Runs when all else has been given back. Never rejects. */
  last(give: () => Promise<void>): void {
    this.#last.push(give)
  }

  /**
   * A private directory, made at first use and removed at the very end.
   *
   * @throws Error when it is closed
   */
  workspace(): string {
    this.#throwIfClosed()
    if (this.#workspace === undefined) {
      this.#workspace = workspaceName(this.#services)
      mkdirSync(this.#workspace, { recursive: true, mode: 0o700 })
      this.#workspaces.push(this.#workspace)
    }
    return this.#workspace
  }

  /** Takes over all that another scope would give back, and closes it. */
  adopt(other: Scope): void {
    this.#entries.push(...other.#entries)
    this.#last.push(...other.#last)
    this.#workspaces.push(...other.#workspaces)
    other.#entries = []
    other.#last = []
    other.#workspaces = []
    other.#closed = true
  }

  /** @returns why something could not be given back */
  async close(): Promise<readonly unknown[]> {
    this.#closed = true
    const failures: unknown[] = []
    for (let give = this.#entries.pop(); give; give = this.#entries.pop()) {
      try {
        await give()
      } catch (error) {
        failures.push(error)
      }
    }
    await Promise.all(this.#last.map((give) => give()))
    this.#last = []
    for (const directory of this.#workspaces) removeLeftover(directory, this.#services.log)
    this.#workspaces = []
    return failures
  }

  #throwIfClosed(): void {
    if (this.#closed) throw new Error('the hook has ended')
  }
}
