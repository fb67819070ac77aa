import { expect, test } from 'vitest'
import { load, tree } from './support.ts'

const plan = (n: number): string => `
  plan-${n}:
    schedule: { cron: '${n % 60} ${n % 24} * * *', timeZone: Europe/Berlin }
    use:
      - '@holdfast/plugin-files#files': { path: /data/${n} }
      - ./hook.ts
    retention: { latest: 3, days: 14 }
`
const hook = `import { defineHook } from '@holdfast/sdk'\nexport default defineHook('onFinish', () => {})`

test('a thousand plans load in well under a second', { retry: 2 }, async () => {
  const yaml = (count: number): string => `plans:${Array.from({ length: count }, (_, n) => plan(n)).join('')}`
  await load(tree({ 'holdfast.yaml': yaml(10), 'hook.ts': hook }))
  const directory = tree({ 'holdfast.yaml': yaml(1000), 'hook.ts': hook })
  const begin = performance.now()
  const { config } = await load(directory)
  expect(performance.now() - begin).toBeLessThan(1000)
  expect(config.plans).toHaveLength(1000)
  expect(config.plans[999]?.participants.map(({ id }) => id)).toEqual(['files', 'hook'])
})
