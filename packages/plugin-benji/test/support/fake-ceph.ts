import type { FakeCommand, FakeReply } from '@holdfast/testing'
import { parseArgv, type Parsed } from './argv.ts'
import { createBadDays, type BadDays } from './bad-days.ts'
import { extentsOf, normalPath, objectSize, type FakeImage, type FakeSnapshot } from './fake-images.ts'

/** A Ceph with RBD images in memory. */
export interface FakeCeph {
  /** The `rbd` command: `fakeExec({ rbd: ceph.command })`. */
  readonly command: FakeCommand
  /** What goes wrong: `ceph.badDays.next('snap create', { exit: 5 })`. Stages: `start`, `end`. */
  readonly badDays: BadDays
  /** Every call's words: `snap create rbd/a@b-…`. */
  readonly calls: readonly string[]
  /** Makes an image, `pool/[ns/]image`. Default: 16 MiB, with `a` in its first two objects. */
  create(path: string, options?: { readonly size?: number; readonly contents?: Record<number, string> }): FakeImage
  image(path: string): FakeImage
  has(path: string): boolean
  /** Writes into an object; `undefined` discards it. */
  write(path: string, object: number, content: string | undefined): void
  /** As somebody else's tool does it. */
  snapshot(path: string, name: string): FakeSnapshot
  /** Names of an image's snapshots, oldest first. */
  snapshotsOf(path: string): readonly string[]
  remove(path: string): void
  /** An image, or a snapshot of it: `pool/[ns/]image[@snapshot]`. `undefined`: there is none. */
  open(spec: string): { readonly size: number; readonly contents: ReadonlyMap<number, string> } | undefined
}

const table = {
  options: {
    id: true,
    conf: true,
    keyring: true,
    format: true,
    'no-progress': false,
    'whole-object': false,
    'from-snap': true,
  },
  short: { c: 'conf', k: 'keyring' },
}

/** Creates a {@link FakeCeph}. */
export function createFakeCeph(): FakeCeph {
  const images = new Map<string, FakeImage>()
  const pools = new Set(['rbd'])
  const badDays = createBadDays()
  const calls: string[] = []
  let ids = 4

  const image = (path: string): FakeImage => {
    const found = images.get(normalPath(path))
    if (!found) throw new Error(`no image ${path} was made`)
    return found
  }
  const open: FakeCeph['open'] = (spec) => {
    const [path = '', name] = spec.split('@')
    const found = images.get(normalPath(path))
    return name === undefined ? found : found?.snapshots.find((each) => each.name === name)
  }
  const snapshot = (path: string, name: string): FakeSnapshot => {
    const { size, contents, snapshots } = image(path)
    const made: FakeSnapshot = { id: ids++, name, size, contents: new Map(contents), protected: false }
    snapshots.push(made)
    return made
  }

  const work = (parsed: Parsed): FakeReply => {
    const { words, options } = parsed
    const [spec = ''] = words.slice(words[0] === 'snap' ? 2 : 1)
    const command = words.slice(0, words[0] === 'snap' ? 2 : 1).join(' ')
    const [path = '', name = ''] = spec.split('@')
    const target = images.get(normalPath(path))
    if (!target) return missing(path, pools)
    const found = target.snapshots.find((each) => each.name === name)
    switch (command) {
      case 'snap ls':
        return json(
          target.snapshots.map(({ id, name: n, size, protected: p }) => {
            return { id, name: n, size, protected: String(p), timestamp: 'Thu Jan  1 00:00:00 2026' }
          }),
        )
      case 'snap create':
        if (found) return { stderr: 'rbd: failed to create snapshot: (17) File exists\n', exitCode: 17 }
        snapshot(path, name)
        return options.has('no-progress') ? {} : { stderr: '\rCreating snap: 100% complete...done.\n' }
      case 'snap rm':
        if (!found) return { stderr: 'rbd: failed to remove snapshot: (2) No such file or directory\n', exitCode: 2 }
        if (found.protected) return { stderr: `rbd: snapshot '${name}' is protected from removal.\n`, exitCode: 16 }
        target.snapshots.splice(target.snapshots.indexOf(found), 1)
        return {}
      case 'diff':
        return diff(target, parsed, name)
      case 'info':
        return json({
          name: path.split('/').at(-1),
          id: target.id,
          size: target.size,
          object_size: objectSize,
          snapshot_count: target.snapshots.length,
        })
      case 'du': {
        const bytes = (contents: ReadonlyMap<number, string>): number => contents.size * objectSize
        return json({
          images: [...target.snapshots, target].map(({ size, contents }) => {
            return { name: path.split('/').at(-1), id: target.id, provisioned_size: size, used_size: bytes(contents) }
          }),
        })
      }
      case 'status':
        return json({ watchers: target.watchers.map((address, client) => ({ address, client, cookie: 1 })) })
      default:
        return { stderr: `error: unknown option '${words.join(' ')}'\n`, exitCode: 1 }
    }
  }

  return {
    badDays,
    calls,
    image,
    open,
    snapshot,
    has: (path) => images.has(normalPath(path)),
    snapshotsOf: (path) => image(path).snapshots.map(({ name }) => name),
    create(path, { size = 4 * objectSize, contents = { 0: 'a', 1: 'a' } } = {}) {
      const entries = Object.entries(contents).map(([index, word]) => [Number(index), word] as const)
      const made: FakeImage = {
        path: normalPath(path),
        id: `10${(ids++).toString(16)}8`,
        size,
        contents: new Map(entries),
        snapshots: [],
        watchers: [],
      }
      images.set(made.path, made)
      pools.add(path.split('/')[0] ?? '')
      return made
    },
    write(path, object, content) {
      if (content === undefined) image(path).contents.delete(object)
      else image(path).contents.set(object, content)
    },
    remove: (path) => void images.delete(normalPath(path)),
    async command(call) {
      const parsed = parseArgv(call.command.slice(1), table)
      if (parsed.unknown !== undefined) {
        return { stderr: `rbd: unrecognised option '${parsed.unknown}'\n`, exitCode: 1 }
      }
      calls.push(parsed.words.join(' '))
      return badDays.run(call, parsed.words, async () => work(parsed))
    },
  }
}

function diff(image: FakeImage, { options }: Parsed, name: string): FakeReply {
  const [from] = options.get('from-snap') ?? []
  const before = image.snapshots.find((each) => each.name === from)
  const after = name === '' ? image : image.snapshots.find((each) => each.name === name)
  if (!after) return { stderr: 'error setting snapshot context: (2) No such file or directory\n', exitCode: 2 }
  // It has begun to print by then.
  if (from !== undefined && !before) {
    return { stdout: '[]\n', stderr: 'rbd: diff error: (2) No such file or directory\n', exitCode: 2 }
  }
  return json(extentsOf(before, after, options.has('whole-object')))
}

function missing(path: string, pools: ReadonlySet<string>): FakeReply {
  const [pool = '', ...rest] = path.split('/')
  const what = pools.has(pool) ? `image ${rest.at(-1)}` : `pool '${pool}'`
  return { stderr: `rbd: error opening ${what}: (2) No such file or directory\n`, exitCode: 2 }
}

function json(value: unknown): FakeReply {
  return { stdout: `${JSON.stringify(value)}\n` }
}
