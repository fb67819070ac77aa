// What docs/benji.md shows of a terminal, on a real Ceph with a real Benji: each command that it shows, in its order, prints
// what it says.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fits } from '../scripts/transcripts.ts'
import { useSite, volumesConfig } from './support/benji.ts'
import { environment } from './support/cli.ts'
import { createImage, createSnapshot, MiB, readImage, removeImages, writeImage } from './support/ceph.ts'
import { run, succeed } from './support/kubectl.ts'
import { readerOf, type Reader } from './support/page.ts'

const root = join(import.meta.dirname, '..')
const image = 'rbd/docs-data'
const restored = 'rbd/docs-restored'
const uidOnPage = /\brbd-docs-data-[a-z0-9]{6}\b/g

const page = readFileSync(join(root, 'docs/benji.md'), 'utf8')
const shown = page.matchAll(/^<!-- seen: e2e\/benji-page\.e2e\.ts -->\n+```\n(.*?)^```$/gms)
const steps = [...shown].flatMap(([, text = '']) =>
  text
    .split(/^\$ /m)
    .slice(1)
    .map((step): [command: string, output: string] => {
      const [command = '', ...lines] = step.split('\n')
      return [command, lines.join('\n')]
    }),
)

const site = useSite()
let newest = ''
beforeAll(async () => {
  await removeImages([image, restored])
  await createImage(image, 64 * MiB)
  const write = (at: number): Promise<void> => writeImage(image, { at, bytes: randomBytes(MiB) })
  await write(0)
  const use = ['benjiBackup', { images: [image] }] as const
  site.project.write('holdfast.config.ts', volumesConfig(site.benji, { volumes: use }))
  await site.backUp('volumes')
  await write(9 * MiB)
  newest = (await site.backUp('volumes')).targets[0]?.points[0]?.id ?? ''
  // Nobody's.
  await createSnapshot(image, 'b-2026-01-01T00:00:00Z')
})
afterAll(() => removeImages([image, restored]))

/** Ids are others each time. */
const anyId = (text: string): string => text.replaceAll(uidOnPage, 'rbd-docs-data-ID')

test('the page shows some', () => {
  expect(steps.map(([command]) => command.split(' ').slice(0, 2).join(' '))).toEqual([
    'holdfast list',
    'holdfast benji',
    'holdfast benji',
    'holdfast restore',
    'holdfast restore',
  ])
})

test.each(steps)('$ %s', async (command, output) => {
  const env = {
    PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}`,
    HOLDFAST_STATE_DIR: site.project.at('state'),
    HOLDFAST_LOG_FORMAT: 'pretty',
    NO_COLOR: '1',
    TZ: 'UTC',
  }
  const words = ['-c', `exec 2>&1\n${command.replaceAll(uidOnPage, newest)}`]
  const cwd = site.project.path
  const { code, stdout } = await run('bash', words, { cwd, env: environment({ cwd, env }) })
  expect([code, fits({ output: anyId(output) }, anyId(stdout)) || stdout]).toEqual([0, true])
})

describe('typed without its output', () => {
  const reader = (): Reader => {
    const here = {
      '/etc/benji/benji.yaml': site.benji.configFile,
      '/var/lib/holdfast': site.project.at('state-of-images'),
      '/var/lib/benji': site.project.at('benji'),
      '/etc/ceph/': site.project.at('ceph-'),
      'rbd-docs-data-y1y2vh': newest,
    }
    const { CEPH_CONF } = process.env
    return readerOf({ page: 'docs/benji.md', cwd: site.project.path, env: { CEPH_CONF }, here })
  }

  test('images, without a cluster', async () => {
    const before = (await site.benji.ls()).length
    reader().write()
    await reader().type('images')
    expect(await site.benji.ls()).toHaveLength(before + 1)
  })

  test('a lock that was left behind', async () => {
    const database = ['sqlite3', site.project.at('benji/benji.sqlite')] as const
    const sql = (text: string): Promise<string> => succeed(database[0], [database[1], text])
    const columns = 'host, process_id, lock_name, reason, date'
    const values = `'gone', 'gone', 'Version ${newest}', 'Restoring', '2026-01-01 00:00:00'`
    await sql(`INSERT INTO locks (${columns}) VALUES (${values})`)
    expect((await site.benji.try('rm', '--force', newest)).code).not.toBe(0)
    await reader().type('lock')
    expect(await sql('SELECT count(*) FROM locks')).toBe('0\n')
  })

  test('a user of Ceph', async () => {
    await reader().type('ceph-user')
    expect(site.project.read('ceph-ceph.client.backup.keyring')).toMatch(/^\[client\.backup\]\n\s*key = \S+/)
  })
})

test('what it restored, from a version that holds only what had changed, is the image', async () => {
  expect((await readImage(restored)).equals(await readImage(image))).toBe(true)
})
