// Encrypted backups: made where no key is, restored where nothing else is.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { expect, test } from 'vitest'
import { shopYaml, workspace, type Workspace } from './support/workspace.ts'

/** A backup for two keys, in a store and a copy of it. */
async function encrypted(): Promise<{ readonly here: Workspace; readonly keys: readonly string[] }> {
  const here = workspace()
  const keys = [await generateIdentity(), await generateIdentity()]
  const recipients = await Promise.all(keys.map((key) => identityToRecipient(key)))
  here.write(
    'holdfast.yaml',
    `storage: file://${here.at('store')}
copies: [file://${here.at('copy')}]
encoding: { recipients: [${recipients.join(', ')}] }
${shopYaml(here.path)}`,
  )
  here.script('backups/10-dump', `printf 'secret rows' | save_artifact orders.sql`)
  expect((await here.run(['run', 'shop'])).code).toBe(0)
  return { here, keys }
}

/** What age-keygen writes. */
function keyFile(key: string): string {
  return `# created: 2026-11-23T03:00:00Z\n# public key: age1…\n${key}\n`
}

test('each of the keys alone restores from the store or a copy of it, on a machine that has nothing else', async () => {
  const { here, keys } = await encrypted()
  for (const [index, key] of keys.entries()) {
    const there = workspace({ 'key.txt': keyFile(key) })
    const store = `file://${here.at(index === 0 ? 'store' : 'copy')}`
    const args = ['restore', '--plan', 'shop', '--to', 'out/', '--storage', store]
    const { code } = await there.run([...args, '--identity', 'key.txt'])
    expect(code).toBe(0)
    expect(readFileSync(there.at('out/orders.sql'), 'utf8')).toBe('secret rows')
  }
})

test('without a key, or with the wrong one, nothing is put in place and the key is named as what is missing', async () => {
  const { here } = await encrypted()
  const there = workspace({ 'stranger.txt': keyFile(await generateIdentity()), 'nonsense.txt': 'hunter2\n' })
  const args = ['restore', '--plan', 'shop', '--to', 'out/', '--storage', `file://${here.at('store')}`]
  for (const [identity, code] of [
    [[], 'ARTIFACT_KEY_MISSING'],
    [['--identity', 'stranger.txt'], 'ARTIFACT_DECRYPT'],
    [['--identity', 'nonsense.txt'], 'ARTIFACT_DECRYPT'],
  ] as const) {
    const failed = await there.run([...args, ...identity])
    expect(failed.code).toBe(1)
    expect(failed.stderr).toContain(code)
    expect(failed.stderr).not.toContain('hunter2')
    const files = readdirSync(there.path, { recursive: true, encoding: 'utf8' })
    expect(files.filter((file) => file.includes('orders'))).toEqual([])
  }
})

test('verify says how far it could look: the stored bytes without a key, all of it with one', async () => {
  const { here, keys } = await encrypted()
  rmSync(here.at('holdfast.yaml'))
  const there = workspace({ 'key.txt': keyFile(keys[1] ?? '') })
  const args = ['verify', '--all', '--storage', `file://${here.at('copy')}`]
  const without = await there.run(args)
  expect([without.code, without.stdout.includes('the stored bytes only')]).toEqual([0, true])
  const withKey = await there.run([...args, '--identity', 'key.txt'])
  expect([withKey.code, /sha256 [0-9a-f]{64}/.test(withKey.stdout)]).toEqual([0, true])
})

test('a key that the configuration names and this machine lacks keeps nobody from using another', async () => {
  const { here, keys } = await encrypted()
  const there = workspace({ 'key.txt': keyFile(keys[0] ?? '') })
  const [storage, copies, encoding, ...plans] = readFileSync(here.at('holdfast.yaml'), 'utf8').split('\n')
  const withIdentity = encoding?.replace(' }', ', identity: { file: /run/secrets/age-key } }')
  there.write('holdfast.yaml', [storage, copies, withIdentity, ...plans].join('\n'))
  for (const args of [
    ['verify', '--all'],
    ['restore', '--plan', 'shop', '--bytes', '--to', 'out/'],
  ]) {
    const { code, stderr } = await there.run([...args, '--identity', 'key.txt'])
    expect([code, stderr]).toEqual([0, expect.stringContaining('/run/secrets/age-key')])
  }
  expect(readFileSync(there.at('out/orders.sql'), 'utf8')).toBe('secret rows')
  const without = await there.run(['restore', '--plan', 'shop', '--bytes', '--to', 'again/'])
  expect([without.code, without.stderr]).toEqual([1, expect.stringContaining('SECRET_MISSING')])
})

test('a plan without a key is verified as far as it can be, also beside one that has its own', async () => {
  const here = workspace()
  const [mine, elsewhere] = await Promise.all([generateIdentity(), generateIdentity()])
  const [a, b] = await Promise.all([mine, elsewhere].map((key) => identityToRecipient(key)))
  here.script('backups/10-dump', `printf 'secret rows' | save_artifact orders.sql`)
  const use = `use: ['@holdfast/plugin-scripts#scripts': { path: ${here.path}/scripts }]`
  here.write(
    'holdfast.yaml',
    `plans:
  open: { encoding: { recipients: [${a}], identity: { env: AGE_KEY } }, ${use} }
  closed: { encoding: { recipients: [${b}] }, ${use} }
`,
  )
  const env = { AGE_KEY: mine }
  expect((await here.run(['run', 'open'], { env })).code).toBe(0)
  expect((await here.run(['run', 'closed'], { env })).code).toBe(0)
  const { stdout } = await here.run(['list', '--json'], { env })
  const checked = (JSON.parse(stdout) as { plan: string; verification: { checked: string } }[]).map((each) => [
    each.plan,
    each.verification.checked,
  ])
  expect(Object.fromEntries(checked)).toEqual({ open: 'decoded', closed: 'stored' })
  // Read by hand, it is the same.
  expect((await here.run(['verify', '--all'], { env })).code).toBe(0)
})
