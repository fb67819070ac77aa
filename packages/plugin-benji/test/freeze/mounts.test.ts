// Where a filesystem is frozen: what the agent's script sees, and what is chosen of it.
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { lookScript } from '../../src/freeze/look-script.ts'
import { chooseMount, escapeMountPoint, type FoundMount, type NoMount } from '../../src/freeze/mounts.ts'
import { scriptCommand } from '../../src/freeze/shell.ts'
import { fakeNode, kill, staged, type FakeNode } from './support.ts'

const pod = 'pods/1234/volumes/kubernetes.io~csi/pvc-1/mount'

function look(node: FakeNode, { kubeletRoot = node.kubeletRoot, namespace = '' } = {}): FoundMount | NoMount {
  const [shell, ...args] = scriptCommand(lookScript, 'look', node.sysRoot, kubeletRoot, 'kube', namespace, 'csi-vol-1')
  const found = execFileSync(shell, args, { env: node.env, encoding: 'utf8' })
  return chooseMount({ found, image: 'kube/csi-vol-1', volume: 'pvc-1', kubeletRoot })
}

describe('K3, B4, B7: frozen is', () => {
  test.each<[string, (node: FakeNode) => void, string]>([
    ['the mount that all pods share', (node) => (node.map({}), node.mount({ path: pod }, { path: staged })), staged],
    [
      'that of a pod, where there is no other',
      (node) => (node.map({}), node.mount({ path: 'x', device: '8:1' }, { path: pod })),
      pod,
    ],
    [
      'a writable one rather than a read-only one',
      (node) => (node.map({}), node.mount({ path: staged, options: 'ro,relatime' }, { path: pod })),
      pod,
    ],
    [
      'the whole filesystem rather than a folder of it',
      (node) => (node.map({}), node.mount({ path: 'sub', root: '/sub' }, { path: pod })),
      pod,
    ],
    [
      'what a kernel has mapped that knows RADOS namespaces',
      (node) => (node.map({ namespace: '' }), node.mount({ path: staged })),
      staged,
    ],
    [
      'the device of two that is mounted',
      (node) => (node.map({}, { device: '252:16' }), node.mount({ path: staged, device: '252:16' })),
      staged,
    ],
    [
      'of two clusters, with the same names, what the kubelet has named after the volume',
      (node) => (
        node.map({}, { device: '252:16' }),
        node.mount({ path: 'pods/1/volumes/x/pvc-9/mount' }, { path: pod, device: '252:16' })
      ),
      pod,
    ],
    [
      'a path with blanks and backslashes',
      (node) => (node.map({}), node.mount({ path: String.raw`a b\040c` })),
      String.raw`a b\040c`,
    ],
  ])('%s', (_, prepare, path) => {
    const node = fakeNode()
    prepare(node)
    expect(look(node)).toMatchObject({
      path: join(node.kubeletRoot, path),
      device: expect.stringMatching(/^252:(0|16)$/),
    })
  })

  test('an image of a RADOS namespace', () => {
    const node = fakeNode()
    node.map({}, { namespace: 'tenant', device: '252:32' })
    node.mount({ path: 'other' }, { path: staged, device: '252:32' })
    expect(look(node, { namespace: 'tenant' })).toMatchObject({ device: '252:32' })
  })

  test('an image that rbd-nbd has mapped, by its command line', () => {
    const nbd = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)', 'map', 'kube/csi-vol-1'])
    onTestFinished(() => kill(nbd.pid ?? 0))
    const node = fakeNode()
    const directory = join(node.sysRoot, 'block/nbd3')
    for (const each of [directory, join(node.sysRoot, 'block/nbd4')]) mkdirSync(each, { recursive: true })
    writeFileSync(join(directory, 'pid'), `${nbd.pid}\n`)
    writeFileSync(join(directory, 'dev'), '43:96\n')
    node.mount({ path: staged, device: '43:96' })
    expect(look(node)).toMatchObject({ device: '43:96' })
  })
})

describe('K14: the mount is found where the kernel says that it is, whoever has made it', () => {
  test.each([
    ['a CSI driver since Kubernetes 1.24', staged],
    ['a CSI driver before it', 'plugins/kubernetes.io/csi/pv/pvc-1/globalmount/0001-data'],
    ['the in-tree driver', 'plugins/kubernetes.io/rbd/mounts/kube-image-csi-vol-1'],
    ['Rook’s flexVolume', 'plugins/ceph.rook.io/rook-ceph/mounts/pvc-1'],
  ])('%s', (_, path) => {
    const node = fakeNode()
    node.map({})
    node.mount({ path: 'pods/9/volumes/x/pvc-9/mount', device: '8:1' }, { path })
    expect(look(node)).toEqual({ device: '252:0', path: join(node.kubeletRoot, path) })
  })

  test('a kubelet with another directory, and nothing outside of it', () => {
    const node = fakeNode()
    const kubeletRoot = join(node.kubeletRoot, 'k0s/kubelet')
    node.map({})
    node.mount({ path: staged })
    expect(look(node, { kubeletRoot: `${node.kubeletRoot}/k0s` })).toMatchObject({ reason: expect.any(String) })
    node.mount({ path: `k0s/kubelet/${staged}` })
    expect(look(node, { kubeletRoot })).toEqual({ device: '252:0', path: join(kubeletRoot, staged) })
  })
})

describe('O15, B4: refused is', () => {
  test.each<[string, (node: FakeNode) => void, string | RegExp]>([
    ['an image that is not mapped', (node) => node.mount({ path: staged }), 'kube/csi-vol-1 is not mapped on its node'],
    [
      'one whose name others have elsewhere',
      (node) => (node.map({ pool: 'other' }, { namespace: 'tenant' }), node.mount({ path: staged })),
      'is not mapped',
    ],
    ['a snapshot', (node) => (node.map({ snapshot: 'b-1' }), node.mount({ path: staged })), 'only a snapshot'],
    [
      'what is not mounted',
      (node) => node.map({}),
      /mapped as \/dev\/rbd0 \(252:0\) on its node, but not mounted below/,
    ],
    [
      'what is mounted elsewhere only',
      (node) => (node.map({}), node.mount({ path: '../elsewhere' })),
      'not mounted below',
    ],
    [
      'another device at the path',
      (node) => (node.map({}), node.mount({ path: staged, device: '252:16', source: '/dev/rbd1' })),
      'not mounted below',
    ],
    [
      'what is mounted read-only',
      (node) => (node.map({}), node.mount({ path: staged, options: 'ro' })),
      'mounted read-only',
    ],
    [
      'what is no filesystem of a block device',
      (node) => (node.map({}), node.mount({ path: staged, type: 'overlay' })),
      'is overlay',
    ],
    [
      'btrfs, whose mounts have numbers of their own',
      (node) => (node.map({}), node.mount({ path: staged, device: '0:45', type: 'btrfs' })),
      /btrfs.* does not carry the number/,
    ],
    [
      'an encrypted volume',
      (node) => (node.map({}), mkdirSync(join(node.sysRoot, 'dev/block/252:0/holders/dm-0'), { recursive: true })),
      /not on \/dev\/rbd0 .* but on dm-0/,
    ],
    [
      'one of two clusters, where nobody can tell',
      (node) => (node.map({}, { device: '252:16' }), node.mount({ path: 'a' }, { path: 'b', device: '252:16' })),
      /several devices of its node \(\/dev\/rbd0, \/dev\/rbd1\)/,
    ],
  ])('%s', (_, prepare, reason) => {
    const node = fakeNode()
    prepare(node)
    expect(look(node)).toMatchObject({ reason: expect.stringMatching(reason) })
  })

  test("everything, while the agent does not see the kubelet's directory", () => {
    const node = fakeNode()
    node.map({})
    expect(look(node, { kubeletRoot: '/nowhere/kubelet' })).toMatchObject({
      reason: expect.stringContaining("does not see the kubelet's directory /nowhere/kubelet"),
      advice: expect.stringContaining('freeze.kubeletRoot'),
    })
  })
})

test('a path is written as the kernel writes it', () => {
  expect(escapeMountPoint('/a b\tc\\d\ne')).toBe(String.raw`/a\040b\011c\134d\012e`)
})
