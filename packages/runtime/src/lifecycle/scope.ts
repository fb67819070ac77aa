import { mkdirSync, rmSync } from 'node:fs'
import type { HoldfastError } from '@holdfast/sdk'

/** One thing to give back; rejects only with errors worth reporting. */
type Give = () => Promise<void>

/**
 * What a hook has taken and must give back: undos, deferred clean-ups, workspaces. Closing gives everything back,
 * newest first, and all of it, whatever fails on the way.
 */
export class Scope {
  readonly #makeDirectory: () => string
  #entries: Give[] = []
  #workspaces: string[] = []
  #workspace: string | undefined

  /** @param makeDirectory - names a directory that doesn't exist yet */
  constructor(makeDirectory: () => string) {
    this.#makeDirectory = makeDirectory
  }

  /** Runs at the end, before what was added earlier. */
  add(give: Give): void {
    this.#entries.push(give)
  }

  /** A private directory, made at first use and removed at the very end. */
  workspace(): string {
    if (this.#workspace === undefined) {
      this.#workspace = this.#makeDirectory()
      mkdirSync(this.#workspace, { recursive: true, mode: 0o700 })
      this.#workspaces.push(this.#workspace)
    }
    return this.#workspace
  }

  /** Takes over all that another scope would give back. */
  adopt(other: Scope): void {
    this.#entries.push(...other.#entries)
    this.#workspaces.push(...other.#workspaces)
    other.#entries = []
    other.#workspaces = []
  }

  /** @returns what could not be given back */
  async close(): Promise<readonly HoldfastError[]> {
    const failures: HoldfastError[] = []
    for (let give = this.#entries.pop(); give; give = this.#entries.pop()) {
      try {
        await give()
      } catch (error) {
        failures.push(error as HoldfastError)
      }
    }
    for (const directory of this.#workspaces) rmSync(directory, { recursive: true, force: true })
    this.#workspaces = []
    this.#workspace = undefined
    return failures
  }
}
