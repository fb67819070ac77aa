// RBD images of the kit's Ceph, written and read with the `rbd` command.
import { randomUUID } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, succeed } from './kubectl.ts'

/** Bytes. */
export const MiB = 1024 ** 2

/** Bytes for a place in an image. */
export interface Extent {
  readonly at: number
  readonly bytes: Buffer
}

/** `ceph.conf`, as a client in a pod needs it. */
export function clientsConf(): string {
  const [, all = ''] = /^\[global\]\n([^[]*)/m.exec(readFileSync(process.env['CEPH_CONF'] ?? '', 'utf8')) ?? []
  const lines = all.split('\n').filter((line) => !line.startsWith('run dir'))
  return `[global]\n${lines.join('\n')}`
}

/** Makes an image, `pool/[namespace/]name`, of zeros. */
export async function createImage(image: string, size: number): Promise<void> {
  await succeed('rbd', ['create', '--size', `${size / MiB}M`, image])
}

/** Writes to places of an image; the rest stays as it is. */
export async function writeImage(image: string, ...extents: readonly Extent[]): Promise<void> {
  const child = spawn('rbd', ['import-diff', '--no-progress', '-', image], { stdio: ['pipe', 'inherit', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject))
  // The format that `rbd export-diff` has: a letter per record, numbers of 64 bits, the lowest byte first.
  child.stdin.write('rbd diff v1\n')
  for (const { at, bytes } of extents) {
    const head = Buffer.alloc(17)
    head.write('w')
    head.writeBigUInt64LE(BigInt(at), 1)
    head.writeBigUInt64LE(BigInt(bytes.length), 9)
    child.stdin.write(Buffer.concat([head, bytes]))
  }
  child.stdin.end('e')
  const code = await ended
  if (code !== 0) throw new Error(`rbd import-diff ended with ${code}: ${said}`)
}

/** All bytes of an image or a snapshot. */
export async function readImage(image: string): Promise<Buffer> {
  const file = join(tmpdir(), `holdfast-e2e-${randomUUID()}`)
  try {
    await succeed('rbd', ['export', '--no-progress', image, file])
    return readFileSync(file)
  } finally {
    rmSync(file, { force: true })
  }
}

/** Changes the size of an image. */
export async function resizeImage(image: string, size: number): Promise<void> {
  await succeed('rbd', ['resize', '--no-progress', '--allow-shrink', '--size', `${size / MiB}M`, image])
}

/** Names of an image's snapshots, the oldest first. */
export async function snapshotsOf(image: string): Promise<readonly string[]> {
  const list = JSON.parse(await succeed('rbd', ['snap', 'ls', '--format', 'json', image])) as { name: string }[]
  return list.map(({ name }) => name)
}

/** Makes a snapshot. */
export async function createSnapshot(image: string, snapshot: string): Promise<void> {
  await succeed('rbd', ['snap', 'create', '--no-progress', `${image}@${snapshot}`])
}

/** Removes a snapshot. */
export async function removeSnapshot(image: string, snapshot: string): Promise<void> {
  await succeed('rbd', ['snap', 'rm', '--no-progress', `${image}@${snapshot}`])
}

/** Removes images with all of their snapshots, those that are there. */
export async function removeImages(images: readonly string[]): Promise<void> {
  for (const image of images) {
    await run('rbd', ['snap', 'purge', '--no-progress', image])
    await run('rbd', ['rm', '--no-progress', image])
  }
}

/** Makes a pool, unless it is there. */
export async function createPool(pool: string): Promise<void> {
  await succeed('ceph', ['osd', 'pool', 'create', pool, '8', '8'])
  await succeed('rbd', ['pool', 'init', pool])
}
