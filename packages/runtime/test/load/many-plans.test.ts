import { expect, test } from 'vitest'
import { files, load, tree } from './support.ts'

const plan = (n: number): string => `
  plan-${n}:
    schedule: { cron: '${n % 60} ${n % 24} * * *', timeZone: Europe/Berlin }
    use:
      - '@holdfast/plugin-counted#files': { path: /data/${n} }
      - ./hook.ts
    retention: { latest: 3, days: 14 }
`
const hook = `import { defineHook } from '@holdfast/sdk'\nexport default defineHook('onFinish', () => {})`
const yaml = (count: number): string => `plans:${Array.from({ length: count }, (_, n) => plan(n)).join('')}`

// Processor time of this process: other processes may keep the machine busy.
async function measure(
  count: number,
): Promise<{ readonly ms: number; readonly plans: number; readonly imports: number }> {
  let imports = 0
  const builtins = {
    '@holdfast/plugin-counted': async () => {
      imports += 1
      return { files }
    },
  }
  const directory = tree({ 'holdfast.yaml': yaml(count), 'hook.ts': hook })
  const begin = process.cpuUsage()
  const { config } = await load(directory, { builtins })
  const { user, system } = process.cpuUsage(begin)
  expect(config.plans.at(-1)?.participants.map(({ id }) => id)).toEqual(['files', 'hook'])
  return { ms: (user + system) / 1000, plans: config.plans.length, imports }
}

test(
  'a thousand plans take about ten times as long as a hundred, and import what they share once',
  { retry: 3 },
  async () => {
    await measure(100)
    const hundred = await measure(100)
    const thousand = await measure(1000)
    expect([thousand.plans, thousand.imports]).toEqual([1000, 1])
    expect(thousand.ms / hundred.ms).toBeLessThan(20)
  },
)
