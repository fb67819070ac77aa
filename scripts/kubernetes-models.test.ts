import { expect, test } from 'vitest'
import { describeModel, fieldsOf, findManifestProblems, findProblems } from './kubernetes-models.ts'

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'shop', labels: { app: 'shop' } },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'shop' } },
    template: {
      metadata: { labels: { app: 'shop' } },
      spec: {
        containers: [
          {
            name: 'shop',
            image: 'shop:1',
            env: [{ name: 'PORT', value: '80' }],
            resources: { limits: { cpu: 1, memory: '1Gi' } },
            livenessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 10 },
          },
        ],
        volumes: [{ name: 'data', emptyDir: {} }],
      },
    },
  },
}

/** The deployment with one thing replaced in its only container. */
function withContainer(change: object): object {
  const { spec } = deployment
  const containers = [{ ...spec.template.spec.containers[0], ...change }]
  return { ...deployment, spec: { ...spec, template: { ...spec.template, spec: { containers } } } }
}

test('an object that is right has no problems', () => {
  expect(findManifestProblems(deployment)).toEqual([])
})

const at = 'Deployment shop: spec.template.spec.containers[0]'
test.for([
  ['an unknown field', { imagee: 'shop:1' }, `${at}.imagee is unknown`],
  ['a number where text must be', { env: [{ name: 'PORT', value: 80 }] }, `${at}.env[0].value must be text`],
  ['text where a list must be', { args: '-v' }, `${at}.args must be a list`],
  ['text where a truth must be', { tty: 'yes' }, `${at}.tty must be true or false`],
  [
    'half a second',
    { livenessProbe: { periodSeconds: 0.5 } },
    `${at}.livenessProbe.periodSeconds must be a whole number`,
  ],
  ['an empty field', { resources: null }, `${at}.resources must be an object`],
  ['a missing name', { env: [{ value: '80' }] }, `${at}.env[0].name is missing`],
  ['a wrong map', { resources: { limits: { cpu: true } } }, `${at}.resources.limits.cpu must be text`],
] as const)('%s is found', ([, change, problem]) => {
  expect(findManifestProblems(withContainer(change))).toEqual([problem])
})

test('a kind in a wrong version is found', () => {
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1beta1', kind: 'Role', metadata: { name: 'shop' } }
  expect(findManifestProblems(role)).toEqual(['Role shop: no kind Role in rbac.authorization.k8s.io/v1beta1 is known'])
})

test('kinds of the Prometheus operator are checked too', () => {
  const monitor = (spec: object): object => ({
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: { name: 'shop' },
    spec,
  })
  const endpoint = { path: '/metrics', relabelings: [{ targetLabel: 'job', replacement: 'shop' }] }
  expect(findManifestProblems(monitor({ selector: {}, podMetricsEndpoints: [endpoint] }))).toEqual([])
  expect(findManifestProblems(monitor({ selector: {}, podMetricsEndpoints: [{ pathh: '' }] }))).toEqual([
    'PodMonitor shop: spec.podMetricsEndpoints[0].pathh is unknown',
  ])
})

test('a part is checked by its model', () => {
  expect(findProblems('V1LeaseSpec', { renewTime: 'now' }, 'spec')).toEqual(['spec.renewTime must be a time'])
  expect(findProblems('V1Nothing', {}, 'spec')).toEqual(['spec: there is no model V1Nothing'])
})

test('models have fields and descriptions', () => {
  const format = { type: 'string', format: '' }
  expect(fieldsOf('V1EnvVar')).toContainEqual({ name: 'name', required: true, ...format })
  expect(fieldsOf('V1EnvVar')).toContainEqual({ name: 'value', required: false, ...format })
  expect(describeModel('V1Toleration')).toMatch(/^The pod this Toleration is attached to/)
  expect(describeModel('V1Toleration', 'key')).toMatch(/^Key is the taint key/)
})
