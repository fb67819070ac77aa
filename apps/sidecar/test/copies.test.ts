// Copies as their users see them: on the command line, in directories.
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { shopYaml, workspace, type Workspace } from './support/workspace.ts'

interface ArtifactJson {
  readonly id: string
  readonly state: string
  readonly verifiedAt?: string
}

interface RunJson {
  readonly status: string
  readonly reason?: string
  readonly error?: { readonly code: string }
  readonly warnings: readonly { readonly code: string; readonly message: string; readonly hint: string }[]
  readonly targets: readonly { readonly status: string; readonly verification: string }[]
}

/** A shop with a store and two copies. */
function shopWithCopies(yaml = ''): Workspace {
  const here = workspace()
  here.write(
    'holdfast.yaml',
    `storage: file://${here.at('store')}
copies:
  - file://${here.at('nas')}
  - file://${here.at('usb')}
${yaml}${shopYaml(here.path)}`,
  )
  dump(here, 'first')
  return here
}

function dump(here: Workspace, text: string): void {
  here.script('backups/10-dump', `printf '%s' '${text}' | save_artifact orders.sql`)
}

async function run(here: Workspace, args: readonly string[] = []): Promise<{ code: number; result: RunJson }> {
  const { code, stdout } = await here.run(['run', 'shop', '--json', ...args])
  return { code, result: JSON.parse(stdout) as RunJson }
}

async function list(there: Workspace, store: string): Promise<readonly ArtifactJson[]> {
  const { code, stdout } = await there.run(['list', '--storage', `file://${store}`, '--json'])
  expect(code).toBe(0)
  return JSON.parse(stdout) as ArtifactJson[]
}

/** Names of files in a store but those of owners, sorted. */
function files(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => !file.includes('.owner') && statSync(`${directory}/${file}`).isFile())
    .toSorted()
}

test('a copy alone is a store: with nothing else it is listed, verified and restored from', async () => {
  const here = shopWithCopies()
  for (const text of ['first', 'second']) {
    dump(here, text)
    expect(await run(here)).toMatchObject({ code: 0, result: { status: 'succeeded', warnings: [] } })
  }
  for (const copy of ['nas', 'usb']) expect(files(here.at(copy))).toEqual(files(here.at('store')))
  const nas = here.at('nas')
  for (const lost of ['store', 'usb', 'state', 'holdfast.yaml']) rmSync(here.at(lost), { recursive: true })
  const there = workspace()
  const artifacts = await list(there, nas)
  expect(artifacts.map(({ state, verifiedAt }) => [state, verifiedAt !== undefined])).toEqual([
    ['valid', true],
    ['valid', true],
  ])
  expect((await there.run(['verify', '--all', '--storage', `file://${nas}`])).code).toBe(0)
  const restored = await there.run(['restore', '--plan', 'shop', '--to', 'out/', '--storage', `file://${nas}`])
  expect(restored.code).toBe(0)
  expect(readFileSync(there.at('out/orders.sql'), 'utf8')).toBe('second')
})

test('a copy that can not be written: exit code 4, the store is good, the warning says what lacks, the next run copies it', async () => {
  const here = shopWithCopies()
  // A file in the way of a directory, as for root a read-only one would not be.
  writeFileSync(here.at('nas'), 'no directory')
  const { code, result } = await run(here)
  expect(code).toBe(4)
  expect(result).toMatchObject({
    status: 'partial',
    reason: 'copies',
    error: { code: 'COPIES_INCOMPLETE' },
    targets: [{ status: 'succeeded', verification: 'verified' }],
  })
  expect(result.warnings).toHaveLength(1)
  expect(result.warnings[0]).toMatchObject({ code: 'COPY_INCOMPLETE' })
  expect(result.warnings[0]?.message).toContain(`the copy file://${here.at('nas')} of plan "shop" lacks`)
  expect(result.warnings[0]?.hint).toContain('The store itself has all of it')
  expect(files(here.at('usb'))).toEqual(files(here.at('store')))
  const shown = await here.run(['run', 'shop', '--log-format', 'pretty'])
  expect(shown.code).toBe(4)
  expect(shown.stderr).toMatch(/warning: the copy .*nas of plan "shop" lacks/)
  expect(shown.stderr).toContain('error: plan "shop" was backed up, but not to all of its copies')
  expect(shown.stderr).not.toMatch(/^\s+at /m)
  rmSync(here.at('nas'))
  expect(await run(here)).toMatchObject({ code: 0 })
  // Two stay by the plan's retention, in the store and in the copy that was away.
  expect(await list(here, here.at('nas'))).toHaveLength(2)
  expect(files(here.at('nas'))).toEqual(files(here.at('store')))
})

test('before anything is done, plan, explain, validate and doctor show the copies', async () => {
  const here = shopWithCopies()
  const [nas, usb] = [`file://${here.at('nas')}`, `file://${here.at('usb')}`]
  await run(here)
  await run(here, ['--storage', `file://${here.at('elsewhere')}`])
  rmSync(here.at('usb'), { recursive: true })
  const before = files(here.at('nas'))

  const plan = await here.run(['plan'])
  expect(plan.code).toBe(0)
  expect(plan.stdout).toContain('keeps latest2, 2 copies')
  expect(plan.stdout).toMatch(new RegExp(`copy ${nas} +2 artifacts`))
  expect(plan.stdout).toMatch(new RegExp(`copy ${usb} +0 artifacts\\n +copy +.*  shop/`))
  const [json] = JSON.parse((await here.run(['plan', '--json'])).stdout) as [
    { copies: { copy: string; artifacts: string[]; lacks: string[]; expired: string[]; kept: object[] }[] },
  ]
  const [artifact] = await list(here, here.at('store'))
  expect(json.copies).toMatchObject([
    { copy: nas, lacks: [], expired: [], kept: [{ rule: 'latest' }, { rule: 'latest' }] },
    { copy: usb, artifacts: [], lacks: [artifact?.id] },
  ])

  const explained = await here.run(['explain'])
  expect(explained.stdout).toMatch(new RegExp(`^${nas} +after verifyBackups: copies what it lacks`, 'm'))
  expect(JSON.parse((await here.run(['explain', '--json'])).stdout)).toMatchObject([{ copies: [nas, usb] }])
  expect((await here.run(['validate'])).stdout).toContain('1 plan, 2 copies, no problem')
  expect(JSON.parse((await here.run(['validate', '--json'])).stdout)).toMatchObject({ plans: [{ copies: [nas, usb] }] })
  expect((await here.run(['doctor'])).stdout).toContain(`${nas} can be read`)
  // Nothing of that has made anything.
  expect(existsSync(here.at('usb'))).toBe(false)
  expect(files(here.at('nas'))).toEqual(before)
})

test('a copy that can not be reached keeps nobody from looking at the rest', async () => {
  const here = workspace()
  here.write(
    'gone.mjs',
    `const gone = () => { throw new Error('no route to host') }
export const open = () => ({ name: 'gone', capabilities: {}, put: gone, get: gone, list: gone, delete: gone })`,
  )
  here.write('holdfast.yaml', `copies: ['./gone.mjs#open']\n${shopYaml(here.path)}`)
  dump(here, 'data')
  const plan = await here.run(['plan'])
  expect(plan.code).toBe(0)
  expect(plan.stdout).toMatch(/copy gone +it can not be looked at/)
  expect(plan.stderr).toContain('COPY_UNREACHABLE')
  expect(plan.stderr).toContain('no route to host')
  const doctor = await here.run(['doctor'])
  expect(doctor.code).toBe(0)
  expect(doctor.stdout).toMatch(/gone: .*no route to host/)
  const dry = await here.run(['run', 'shop', '--dry-run', '--json'])
  expect([dry.code, dry.stdout.includes('COPY_UNREACHABLE')]).toEqual([0, true])
  expect((await run(here)).result).toMatchObject({ status: 'partial', warnings: [{ code: 'COPY_INCOMPLETE' }] })
})

test('the plan of retention is printed before anything is removed: by plan, by a dry run, and in the log of the run', async () => {
  const here = shopWithCopies()
  for (const text of ['1', '2', '3']) {
    dump(here, text)
    await run(here)
  }
  here.write('holdfast.yaml', readFileSync(here.at('holdfast.yaml'), 'utf8').replace('latest: 2', 'latest: 1'))
  const all = await list(here, here.at('nas'))
  expect(all).toHaveLength(2)
  const [newest, expired] = all
  const plan = await here.run(['plan'])
  expect(plan.stdout.match(/keep +1: latest 1/g)).toHaveLength(3)
  expect(plan.stdout.split('\n').filter((line) => /^ +remove/.test(line) && line.includes(expired!.id))).toHaveLength(3)
  const dry = await here.run(['run', 'shop', '--dry-run', '--log-format', 'json'])
  const lines = (stderr: string): string[] =>
    stderr.split('\n').filter((line) => line.includes('expired restore point'))
  expect(lines(dry.stderr)).toHaveLength(3)
  expect(lines(dry.stderr).every((line) => line.includes('would remove 1') && line.includes(expired!.id))).toBe(true)
  expect(await list(here, here.at('nas'))).toHaveLength(2)
  dump(here, '4')
  const real = await here.run(['run', 'shop', '--log-format', 'json'])
  expect(lines(real.stderr)).toHaveLength(3)
  expect(lines(real.stderr)[0]).toMatch(/"points":\[".*".*".*"\].*"kept":"latest 1"/)
  for (const copy of ['store', 'nas', 'usb']) {
    const left = await list(here, here.at(copy))
    expect(left.map(({ id }) => id)).not.toContain(newest!.id)
    expect(left).toHaveLength(1)
  }
})

test('HOLDFAST_COPIES names copies where the configuration names none, for fridge as well', async () => {
  const here = workspace()
  dump(here, 'data')
  const env = {
    CRON_BACKUP_SCHEDULE: '0 3 * * *',
    HOLDFAST_SCRIPTS: here.at('scripts'),
    HOLDFAST_STORAGE: `file://${here.at('store')}`,
    HOLDFAST_COPIES: ` file://${here.at('nas')}\n\tfile://${here.at('usb')} `,
  }
  expect((await here.run(['run', 'scripts'], { env })).code).toBe(0)
  for (const copy of ['nas', 'usb']) expect(files(here.at(copy))).toEqual(files(here.at('store')))
  const wrong = await here.run(['validate'], { env: { ...env, HOLDFAST_COPIES: '/mnt/nas' } })
  expect(wrong.code).toBe(78)
  expect(wrong.stderr).toContain('STORAGE_INVALID')
  const same = await here.run(['validate'], { env: { ...env, HOLDFAST_COPIES: env.HOLDFAST_STORAGE } })
  expect(same.code).toBe(78)
  expect(same.stderr).toContain('COPY_SAME_STORE')
})

test('what is damaged in a copy is found there by verify, and made good by the next run', async () => {
  const here = shopWithCopies()
  await run(here)
  const data = files(here.at('nas')).find((file) => file.includes('.data'))
  appendFileSync(here.at('nas', data ?? ''), 'x')
  const verified = await here.run(['verify', '--all', '--storage', `file://${here.at('nas')}`])
  expect(verified.code).toBe(1)
  expect(verified.stderr).toContain('ARTIFACT_DIGEST')
  expect((await list(here, here.at('nas')))[0]?.state).toBe('invalid')
  expect((await run(here)).code).toBe(0)
  expect((await here.run(['verify', '--all', '--storage', `file://${here.at('nas')}`])).code).toBe(0)
})

test('manifests have a volume for each copy that is a directory, and the variable', async () => {
  const here = shopWithCopies()
  const form = ['generate', 'kubernetes', '--form', 'sidecar']
  const { code, stdout } = await here.run(form)
  expect(code).toBe(0)
  for (const [claim, directory] of [
    ['holdfast-backups', 'store'],
    ['holdfast-copy', 'nas'],
    ['holdfast-copy-2', 'usb'],
  ])
    expect(stdout).toMatch(
      new RegExp(`name: ${claim}\\n +mountPath: ${here.at(directory ?? '')}[^]*claimName: ${claim}\\n`),
    )
  const env = { HOLDFAST_COPIES: 'file:///mnt/nas file:///var/lib/holdfast/copy', HOLDFAST_STORAGE: 'file:///backups' }
  const scripts = workspace()
  dump(scripts, 'data')
  const args = [...form, '--schedule', '@daily', '--scripts', scripts.at('scripts')]
  const made = await scripts.run(args, { env })
  expect(made.stdout).toMatch(new RegExp(`name: HOLDFAST_COPIES\\n +value: "?${env.HOLDFAST_COPIES}`))
  expect(made.stdout.match(/claimName: holdfast-copy/g)).toHaveLength(1)
  const secret = await scripts.run(args, { env: { ...env, HOLDFAST_COPIES: 's3://me:hunter2@host/bucket' } })
  expect(secret.code).toBe(2)
  expect(secret.stderr).not.toContain('hunter2')
})
