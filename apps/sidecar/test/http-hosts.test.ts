// DNS rebinding: a page of somebody else, whose name was made to lead here, asks with that name.
import { hostname } from 'node:os'
import { createMetrics, createRedactor } from '@holdfast/runtime'
import { expect, test, vi } from 'vitest'
import { createHostCheck } from '../src/http/host-check.ts'
import { createPages, type Page } from '../src/http/pages.ts'
import { socketFile } from '../src/http/socket.ts'
import { startDaemon } from './support/daemon.ts'
import { ask, freePort } from './support/http.ts'
import { shop, shopYaml } from './support/workspace.ts'

const browser = '127.0.0.1'
const elsewhere = '10.1.2.3'

/** The pages, with a site that has the first page and the API. */
function served(allowed?: readonly string[], always: readonly string[] = []) {
  const hosts = createHostCheck(always)
  hosts.allow(allowed)
  const warnings: string[] = []
  const shown: Page = { status: 200, type: 'text/html', body: 'plans' }
  const answer = createPages({
    version: '1.2.3',
    reasons: () => [],
    metrics: createMetrics(),
    redactor: createRedactor(),
    log: { warn: (message) => void warnings.push(message) },
    site: { has: (path) => path === '/' || path.startsWith('/api'), answer: () => Promise.resolve(shown) },
    hosts,
  })
  const get = (host: string | undefined, path = '/', { peer = browser, site = '', method = 'GET' } = {}) =>
    answer({
      method,
      url: path,
      accept: 'text/html',
      headers: { ...(host !== undefined && { host }), ...(site !== '' && { 'sec-fetch-site': site }) },
      peer: peer === 'socket' ? undefined : peer,
    })
  return { get, warnings }
}

test('a name that was made to lead to this machine reads neither the page nor the API, and is told what to do', async () => {
  const { get, warnings } = served()
  for (const host of [
    'evil.example.com',
    'evil.example.com:9480',
    '127.0.0.1.evil.example.com',
    'localhost.evil.example',
  ]) {
    for (const peer of [browser, '::1', '::ffff:127.0.0.1']) {
      expect((await get(host, '/', { peer })).status, host).toBe(403)
    }
  }
  const page = await get('evil.example.com:9480')
  expect(page.body).toMatch(/^this is not shown under the name "evil\.example\.com:9480"\n\n.*`metrics\.allowedHosts`/)
  const api = await get('evil.example.com', '/api/v1/plans')
  expect(JSON.parse(api.body)).toMatchObject({ error: { code: 'HTTP_HOST', hint: expect.any(String) as string } })
  expect(warnings).toContain('this is not shown under the name "evil.example.com:9480"')
  expect(new Set(warnings).size).toBe(warnings.length)
})

test.for([
  '127.0.0.1:9480',
  '[::1]:9480',
  'localhost:9480',
  'LOCALHOST.',
  'shop.localhost:9480',
  'shop:9480',
  'shop.default.svc:9480',
  'shop.default.svc.cluster.local.',
  hostname(),
])('who asks for %s is shown it, from wherever, whatever is allowed', async (host) => {
  for (const allowed of [undefined, [], ['backup.example.com']]) {
    for (const peer of [browser, elsewhere]) {
      expect((await served(allowed).get(host, '/', { peer })).status, peer).toBe(200)
    }
  }
})

test('proxies, scrapers and probes ask by names of theirs, as long as no names are listed', async () => {
  const { get, warnings } = served()
  const host = 'backup.example.com'
  // An Ingress, and a proxy with TLS in the same pod: only by TLS a browser says so.
  expect((await get(host, '/', { peer: elsewhere })).status).toBe(200)
  expect((await get(host, '/', { site: 'none' })).status).toBe(200)
  // A mesh in the same pod.
  expect((await get(host, '/', { peer: '127.0.0.6' })).status).toBe(200)
  // Prometheus on the same machine, and probes, by the name of the machine or without any.
  for (const path of ['/metrics', '/healthz', '/readyz']) expect((await get(host, path)).status, path).toBe(200)
  expect((await get(undefined)).status).toBe(200)
  // The socket of the state directory.
  expect((await get(host, '/', { peer: 'socket' })).status).toBe(200)
  expect(warnings).toEqual([])
})

test('a list is about everybody and everything, but for /healthz; `*` is any name', async () => {
  const { get } = served(['backup.example.com', '.corp.example'], ['api.example.org'])
  const status = async (host: string, path = '/', peer = elsewhere) => (await get(host, path, { peer })).status
  for (const host of ['Backup.Example.com:443', 'a.b.corp.example', 'corp.example', 'api.example.org']) {
    for (const peer of [browser, elsewhere]) expect(await status(host, '/', peer), host).toBe(200)
  }
  for (const host of [
    'evil.example.com',
    'xcorp.example',
    'corp.example.evil.example',
    'x.backup.example.com',
    'a b',
  ]) {
    for (const path of ['/', '/api/v1', '/metrics', '/readyz']) expect(await status(host, path), host).toBe(403)
    expect(await status(host, '/healthz')).toBe(200)
  }
  expect((await get('evil.example.com', '/', { peer: elsewhere, site: 'none' })).status).toBe(403)
  expect((await served(['*']).get('evil.example.com')).status).toBe(200)
})

test('a request to do something is left to the API, which counts what it refuses', async () => {
  const { get } = served([])
  expect((await get('evil.example.com', '/api/v1/plans/shop/run', { method: 'POST' })).body).toBe('plans')
  expect((await get('evil.example.com', '/api/v1/plans/shop/run', { method: 'PUT' })).status).toBe(403)
})

test('whoever asks by ever new names does not fill the log', async () => {
  const { get, warnings } = served()
  for (let index = 0; index < 100; index++) await get(`a${index}.example.com`)
  expect(warnings).toHaveLength(20)
  expect((await get(`${'x'.repeat(5000)}.example.com`)).body.length).toBeLessThan(1000)
})

test('a daemon does so at its port, not at its socket, and takes over the names of a changed configuration', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  const port = await freePort()
  const running = startDaemon(here, { args: ['--listen', `127.0.0.1:${port}`] })
  await running.logged('"msg":"listening"')
  await running.logged('"msg":"ready"')
  const asked = async (host: string, path: string, at: Parameters<typeof ask>[0] = { port }): Promise<number> =>
    (await ask(at, path, { headers: { host } })).status
  expect(await asked('backup.example.com', '/api/v1')).toBe(403)
  expect(await asked('backup.example.com', '/metrics')).toBe(200)
  expect(await asked('backup.example.com', '/api/v1', { socketPath: socketFile(here.state) })).toBe(200)
  here.write('holdfast.yaml', `metrics: { allowedHosts: [backup.example.com] }\n${shopYaml(here.path)}`)
  running.signal('SIGHUP')
  await vi.waitFor(async () => expect(await asked('backup.example.com', '/api/v1')).toBe(200), {
    timeout: 10_000,
    interval: 5,
  })
  expect(await asked('evil.example.com', '/metrics')).toBe(403)
})
