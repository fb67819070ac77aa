import { existsSync, writeFileSync } from 'node:fs'
import { isDeath } from './bad-days.ts'
import {
  BenjiFailure,
  findVersion,
  locked,
  type FakeBenjiCommand,
  type FakeCommandInput,
  type FakeVersion,
} from './fake-versions.ts'

/** `benji restore`. Stages: `locked`, `written`. A file gets JSON: size and contents. */
export const restore: FakeBenjiCommand = async (input) => {
  const { store, log, words, reach, option } = input
  const [uid = '', url = ''] = words
  const version = findVersion(store, uid)
  const work = async (): Promise<void> => {
    await reach('locked')
    log.info('Opening target for write')
    write(input, version, url, option('force') !== undefined)
    await reach('written')
    const blocks = [...version.contents.keys()]
    log.progress('Restoring', blocks.length)
    // C2: it says so, and goes on.
    for (const index of blocks.filter((each) => version.damaged.has(each))) {
      log.error(
        `Checksum mismatch during restore for block ${index} (UID 1-${index}) (is: 8af12a8f... should-be: b0995369..., block.valid: True). Block restored is invalid.`,
      )
      log.error(`Marked block with UID 1-${index} as invalid in all affected versions: ${uid}.`)
      version.status = 'invalid'
    }
    log.info(`Successfully restored version ${uid} in 01s with 185.9MiB/s.`)
  }
  await locked(store, uid, work, isDeath)
  return ''
}

function write({ store, option }: FakeCommandInput, version: FakeVersion, url: string, force: boolean): void {
  const { ceph, options } = store
  const colon = url.indexOf(':')
  const scheme = url.slice(0, colon).toLowerCase()
  const [path = ''] = url.slice(colon + 1).split('?')
  const contents = new Map(version.contents)
  for (const index of version.damaged) contents.set(index, 'damaged')
  if (scheme === 'file') {
    if (existsSync(path) && !force) throw exists(url)
    writeFileSync(path, JSON.stringify({ size: version.size, contents: Object.fromEntries(contents) }))
    return
  }
  if (!options.ios.includes(scheme)) throw new BenjiFailure(78, `ConfigurationError: IO scheme ${scheme} is undefined.`)
  if (!ceph.has(path)) {
    ceph.create(path, { size: version.size, contents: Object.fromEntries(contents) })
    return
  }
  if (!force) throw exists(`RBD image ${url}`)
  const image = ceph.image(path)
  if (image.size < version.size) {
    throw new BenjiFailure(
      74,
      `OSError: RBD image ${url} is too small. Its size is ${image.size} bytes, but we need ${version.size} bytes for the restore.`,
    )
  }
  // With --sparse the image is discarded first; without, zeros are written.
  if (option('sparse') !== undefined) image.contents.clear()
  else for (const index of image.contents.keys()) if (index * 4 * 2 ** 20 < version.size) image.contents.delete(index)
  for (const [index, word] of contents) image.contents.set(index, word)
}

function exists(what: string): BenjiFailure {
  return new BenjiFailure(73, `FileExistsError: ${what} already exists. Force the restore if you want to overwrite it.`)
}
