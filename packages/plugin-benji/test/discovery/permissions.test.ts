import { expect, onTestFinished, test, vi } from 'vitest'
import { permissionsFor, type PermissionsForOptions } from '../../src/discovery/permissions.ts'

function rights(options: PermissionsForOptions): string[] {
  return permissionsFor(options).map(({ resource, verbs, scope }) => `${scope} ${resource} ${verbs.join(',')}`)
}

test('H3: images need no right at all', () => {
  expect(rights({ images: ['rbd/one'] })).toEqual([])
})

test('H3, B13: only reading, events, and exec into our own agents, and that only where something may be frozen', () => {
  expect(rights({ all: true })).toEqual([
    'cluster persistentvolumeclaims get,list',
    'cluster persistentvolumes get,list',
    'cluster events create',
    'cluster pods get,list',
    'namespace pods/exec create,get',
  ])
  expect(rights({ namespaces: ['web'], freeze: { mode: 'never' } })).toEqual([
    'cluster persistentvolumeclaims get,list',
    'cluster persistentvolumes get,list',
    'cluster events create',
  ])
})

test('H3: claims of our own namespace need rights there', () => {
  vi.stubEnv('POD_NAMESPACE', 'backup')
  onTestFinished(() => void vi.unstubAllEnvs())
  const own = [
    'namespace persistentvolumeclaims get,list',
    'cluster persistentvolumes get,list',
    'namespace events create',
    'namespace pods get,list',
    'namespace pods/exec create,get',
  ]
  expect(rights({ pvcs: ['data', 'backup/queue'] })).toEqual(own)
  expect(rights({ namespaces: ['backup'] })).toEqual(own)
  expect(rights({ namespaces: ['backup', 'web'] })).toContain('cluster persistentvolumeclaims get,list')
  expect(rights({ pvcs: ['web/data'] })).toContain('cluster persistentvolumeclaims get,list')
})
