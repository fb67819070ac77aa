// How much an image adds to its base: what nodes that have the base fetch and keep.
//   node scripts/image-size.ts IMAGE.tar BASE.tar   both as `docker save` and Buildah's docker-archive write them
import { readFileSync } from 'node:fs'
import { argv } from 'node:process'
import { gzipSync } from 'node:zlib'
import { readTar } from './unpack.ts'

/** Sizes in bytes. */
export interface Size {
  /** As it lies on a node's disk: the sum of the files. */
  readonly unpacked: number
  /** As registries keep and send it: with gzip. */
  readonly compressed: number
}

/** What an image adds to its base. */
export interface AddedSize {
  /** Below /app: the bundle, what Node has compiled of it, and what stays outside of the bundle. */
  readonly application: Size
  /** Everything else: packages of the distribution, mount points, the commands' links. */
  readonly system: Size
  readonly together: Size
}

/**
 * Measures the layers that an image has and its base doesn't.
 *
 * @throws Error when there are none, or the base is of another image
 */
export function measureAdded(image: Buffer, base: Buffer): AddedSize {
  const inBase = layersOf(base)
  const layers = layersOf(image)
  if (!inBase.every((name, index) => layers[index] === name)) throw new Error('the image is not built on this base')
  const own = layers.slice(inBase.length).map((name) => readTar(image, name))
  if (own.length === 0) throw new Error('the image adds nothing to its base')
  const entries = own.flatMap(entriesOf)
  return {
    application: sizeOf(entries.filter(({ name }) => name.startsWith('app/'))),
    system: sizeOf(entries.filter(({ name }) => !name.startsWith('app/'))),
    together: sizeOf(entries),
  }
}

/** One file of a layer, with its header. */
interface Entry {
  readonly name: string
  readonly size: number
  readonly bytes: Buffer
}

function layersOf(archive: Buffer): readonly string[] {
  const [image] = JSON.parse(readTar(archive, 'manifest.json').toString()) as readonly {
    readonly Layers: readonly string[]
  }[]
  if (image === undefined) throw new Error('the archive has no image')
  return image.Layers
}

function entriesOf(layer: Buffer): readonly Entry[] {
  const block = 512
  const entries: Entry[] = []
  // Two empty blocks are the end.
  for (let at = 0; at + block <= layer.length && layer[at] !== 0;) {
    const size = parseInt(layer.toString('latin1', at + 124, at + 136), 8) || 0
    const end = at + block + Math.ceil(size / block) * block
    // Of a path that is too long for its header this is the beginning.
    const name = layer.toString('latin1', at, layer.indexOf(0, at)).replace(/^\.?\//, '')
    const isFile = layer[at + 156] === '0'.charCodeAt(0) || layer[at + 156] === 0
    entries.push({ name, size: isFile ? size : 0, bytes: layer.subarray(at, end) })
    at = end
  }
  return entries
}

function sizeOf(entries: readonly Entry[]): Size {
  return {
    unpacked: entries.reduce((sum, { size }) => sum + size, 0),
    compressed: gzipSync(Buffer.concat(entries.map(({ bytes }) => bytes))).length,
  }
}

if (import.meta.filename === argv[1]) {
  const [image, base] = argv.slice(2)
  if (image === undefined || base === undefined) throw new Error('usage: image-size.ts IMAGE.tar BASE.tar')
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1).padStart(6)} MB`
  const { application, system, together } = measureAdded(readFileSync(image), readFileSync(base))
  for (const [title, { unpacked, compressed }] of Object.entries({ application, system, together })) {
    console.log(`${title.padEnd(12)}${megabytes(compressed)} compressed ${megabytes(unpacked)} unpacked`)
  }
}
