// A registry of npm's with a few packages, on this machine: for what is installed in tests.
import { createServer } from 'node:http'
import { mkdirSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { succeed } from './kubectl.ts'

/** A registry that answers. */
export interface Registry {
  readonly url: string
  close(): Promise<void>
}

interface Packed {
  readonly name: string
  readonly version: string
  readonly filename: string
  readonly integrity: string
}

/**
 * Serves packages as they are in directories: each in the one version that it has.
 *
 * @param packages - directories
 * @param into - where their tarballs are written
 */
export async function startRegistry(packages: readonly string[], into: string): Promise<Registry> {
  mkdirSync(into, { recursive: true })
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', into]
  const packed = JSON.parse(await succeed('npm', [...pack, ...packages], { cwd: into })) as readonly Packed[]
  let url = ''
  const served = new Map(
    packed.map(({ name, version, filename, integrity }, index) => {
      const manifest = JSON.parse(readFileSync(join(packages[index] ?? '', 'package.json'), 'utf8')) as object
      const answer = () => ({
        name,
        'dist-tags': { latest: version },
        versions: { [version]: { ...manifest, dist: { tarball: `${url}/${filename}`, integrity } } },
      })
      return [name, answer] as const
    }),
  )
  const tarballs = new Set(packed.map(({ filename }) => filename))
  const server = createServer((request, response) => {
    const asked = decodeURIComponent((request.url ?? '').slice(1))
    const answer = served.get(asked)
    if (answer) return response.setHeader('content-type', 'application/json').end(JSON.stringify(answer()))
    if (tarballs.has(asked)) return response.end(readFileSync(join(into, asked)))
    response.statusCode = 404
    return response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
