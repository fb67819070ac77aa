import { join } from 'node:path'
import { root } from './workspaces.ts'

/** The versions of TypeScript that packages are tried with, by their names in node_modules: 5.9, 6.0 and 7.0. */
export const compilers = ['ts59', 'typescript', 'ts7'] as const

/** How users' programs find packages. */
export const resolutions = [
  { module: 'nodenext', moduleResolution: 'nodenext' },
  { module: 'esnext', moduleResolution: 'bundler' },
] as const

/** The program of a compiler. */
export function tscOf(compiler: string): string {
  return join(root, 'node_modules', compiler, 'bin/tsc')
}
