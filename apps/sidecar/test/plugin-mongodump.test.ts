import { expect, test } from 'vitest'
import { workspace } from './support/workspace.ts'

const plan = (options: string): string => `storage: file:///backups
plans:
  shop: { use: [{ '@holdfast/plugin-mongodump#mongodump': ${options} }] }
`

test('a configuration in YAML names it, and the file says where a typo is', async () => {
  const here = workspace({ 'holdfast.yaml': plan(`{ uri: { file: ./uri }, databse: shop }`) })
  const { code, stderr } = await here.run(['validate'])
  expect(code).toBe(78)
  expect(stderr).toMatch(/holdfast\.yaml:3:\d+/)
  expect(stderr).toContain('databse')
  expect(stderr).toContain('Did you mean "database"?')
})

test('what contradicts itself is refused before anything is loaded or run', async () => {
  for (const [options, problem] of [
    ['{ uri: { env: URI }, collections: [orders] }', 'collections are of a database: say which'],
    ['{ uri: { env: URI }, database: a, collections: [b, c], query: { n: 1 } }', 'a query is for one collection'],
    ['{ uri: { env: URI }, database: a, oplog: true }', 'takes the oplog along only with all databases'],
    ['{ uri: mongodb://ada:pw@db/ }', 'uri'],
  ] as const) {
    const here = workspace({ 'holdfast.yaml': plan(options) })
    const { code, stderr } = await here.run(['validate'])
    expect({ code, stderr }).toMatchObject({ code: 78, stderr: expect.stringContaining(problem) })
    expect(stderr).not.toContain('ada:pw')
  }
})

test('in a container: the rights that it takes are generated, and nothing is asked before a run', async () => {
  const here = workspace({
    'holdfast.yaml': plan('{ uri: { file: uri }, where: { container: mongodb } }'),
    uri: 'mongodb://localhost/\n',
  })
  const { stdout } = await here.run(['generate', 'rbac'])
  expect(stdout).toMatch(/pods\/exec/)
  expect((await here.run(['explain', 'shop'])).stdout).toContain('mongodump')
})
