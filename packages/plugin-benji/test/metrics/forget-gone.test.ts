import type { Kubernetes, Outcome, Run } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { forgetGone } from '../../src/metrics/forget-gone.ts'
import { pushContext, startGateway } from './gateway.ts'

const labels = (more: Record<string, string>): object => ({ labels: { job: 'benji-east', ...more } })
const claim = (namespace: string, name: string): object => labels({ pvc_namespace: namespace, pvc_name: name })

/** A Pushgateway with these groups, and a cluster with these claims. */
async function scene(groups: readonly (object | null)[], claims: readonly string[], asked: readonly string[]) {
  const { address, received } = await startGateway((request, response) => {
    response.end(request.method === 'GET' ? JSON.stringify({ status: 'success', data: groups }) : '')
  })
  const calls: string[] = []
  const kubernetes = {
    async get(_: string, name: string, { namespace = '' } = {}) {
      calls.push(`get ${namespace}/${name}`)
      return claims.includes(`${namespace}/${name}`) ? { metadata: { name, namespace } } : undefined
    },
    async *list() {
      calls.push('list')
      for (const each of claims) {
        const [namespace, name = ''] = each.split('/')
        yield { metadata: { namespace, name } }
      }
    },
  } as Partial<Kubernetes> as Kubernetes
  const { ctx, warnings } = pushContext({ gateway: address })
  const targets = asked.map((id) => ({ target: { id } })) as unknown as Outcome['targets']
  const outcome: Outcome = { status: 'succeeded', targets, warnings: [] }
  const run = { dryRun: false } as Run
  await forgetGone({ ...ctx, kubernetes, outcome, run })
  return { calls, warnings, deleted: received.filter(({ method }) => method === 'DELETE').map(({ url }) => url) }
}

test('K27, H11: groups of claims that are gone are removed; those of other jobs, other kinds and other plans stay', async () => {
  const groups = [
    claim('shop', 'data-0'),
    claim('shop', 'gone'),
    claim('web', 'of-another-plan'),
    labels({ command: 'cleanup' }),
    { labels: { job: 'other', pvc_namespace: 'shop', pvc_name: 'gone' } },
    null,
  ]
  const found = await scene(groups, ['shop/data-0', 'web/of-another-plan'], ['shop/data-0'])
  expect(found).toEqual({
    calls: ['get shop/gone', 'get web/of-another-plan'],
    warnings: [],
    deleted: ['/metrics/job/benji-east/pvc_name/gone/pvc_namespace/shop'],
  })
})

test('nobody is asked when every group is of this run, and many are asked for at once', async () => {
  expect((await scene([claim('shop', 'a')], ['shop/a'], ['shop/a'])).calls).toEqual([])
  const many = Array.from({ length: 30 }, (_, index) => claim('shop', `data-${index}`))
  const { calls, deleted } = await scene(many, ['shop/data-3'], [])
  expect(calls).toEqual(['list'])
  expect(deleted).toHaveLength(29)
})
