import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { FakeContainer } from './pods.ts'

/** Where and how commands are executed. */
export interface Runtime {
  readonly directory: string
  readonly env: Readonly<Record<string, string>>
  readonly shell: boolean
}

/** What the fake knows of containers beyond their objects. */
export interface Runtimes {
  set(namespace: string, pod: string, container: FakeContainer): void
  /** Containers of pods that came as objects get a runtime of their own, too. */
  get(namespace: string, pod: string, container: string): Runtime
}

/** @param root - folder for the directories of containers that have none */
export function createRuntimes(root: string): Runtimes {
  const runtimes = new Map<string, Runtime>()
  const keyOf = (...parts: string[]): string => parts.join('_')
  const created: Runtimes = {
    set(namespace, pod, { name, directory, env = {}, shell = true }) {
      const key = keyOf(namespace, pod, name)
      if (directory !== undefined && !statSync(directory).isDirectory())
        throw new TypeError(`${directory} is no directory`)
      const own = join(root, key)
      if (directory === undefined) mkdirSync(own, { recursive: true })
      runtimes.set(key, { directory: directory ?? own, env, shell })
    },
    get(namespace, pod, container) {
      const key = keyOf(namespace, pod, container)
      if (!runtimes.has(key)) created.set(namespace, pod, { name: container })
      return runtimes.get(key) as Runtime
    },
  }
  return created
}
