import { expect, test } from 'vitest'
import { isOnContainerLayer } from '../../src/journal/durability.ts'

const container = [
  '600 500 0:300 / / rw,relatime - overlay overlay rw,lowerdir=/a',
  '601 600 0:301 / /proc rw - proc proc rw',
  '602 600 8:1 /pods/x/volumes/empty /var/lib/holdfast rw - ext4 /dev/sda1 rw',
  '603 600 8:1 /pods/x/volumes/odd /mnt/with\\040space rw - ext4 /dev/sda1 rw',
  '',
].join('\n')

test.each([
  ['/var/lib/holdfast', false],
  ['/var/lib/holdfast/deeper', false],
  ['/var/lib/holdfast2', true],
  ['/mnt/with space/state', false],
  ['/tmp/state', true],
  ['/', true],
])('%s on the layer of a container: %s', (path, expected) => {
  expect(isOnContainerLayer(path, container)).toBe(expected)
})

test('a machine of its own has no such layer', () => {
  expect(isOnContainerLayer('/tmp', '25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw')).toBe(false)
  expect(isOnContainerLayer('/tmp', 'garbage')).toBe(false)
})
