import { expect, test } from 'vitest'
import { collect, driverOf, failure, keys, put, signal, useCredentials, useServers } from './support/driver.ts'
import { objectOfKey } from '../src/keys.ts'

useCredentials()
const start = useServers()

test('keys with long parts come in the order of keys, also where a page ends between them', async () => {
  const server = await start({ pageSize: 3 })
  const { driver } = driverOf(server)
  await put(driver, 'a', 'x')
  const [object] = server.objects.values()
  const long = 'p'.repeat(200)
  const all = [
    'a',
    `d/${long}`,
    `d/${long}-`,
    `d/${long}.x`,
    `d/${long}0/a`,
    `d/${long}0/b`,
    `d/${long}a`,
    `d/${long}${long}/z`,
    'e',
    'f/g',
  ]
  for (const key of all) server.objects.set(objectOfKey('', key), object!)
  expect(await keys(driver)).toEqual(all.toSorted((a, b) => (a < b ? -1 : 1)))
  expect(server.requests.filter(({ operation }) => operation === 'ListObjects').length).toBeGreaterThan(3)
})

test('the first keys are there after the first page', async () => {
  const server = await start({ pageSize: 2 })
  const { driver } = driverOf(server)
  for (const key of ['a', 'b', 'c', 'd', 'e']) await put(driver, key, 'x')
  for await (const { key } of driver.list('', { signal })) {
    expect(key).toBe('a')
    break
  }
  expect(server.requests.filter(({ operation }) => operation === 'ListObjects')).toHaveLength(1)
})

test('a service that says that there is more, and not where, is no list of backups', async () => {
  const server = await start({ pageSize: 2, endless: true })
  const { driver } = driverOf(server)
  for (const key of ['a', 'b', 'c']) await put(driver, key, 'x')
  const error = await failure(collect(driver.list('', { signal })))
  expect(error.code).toBe('STORAGE_IO')
  expect(error.message).toContain('not where it goes on')
})
