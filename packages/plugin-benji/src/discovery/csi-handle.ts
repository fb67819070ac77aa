/** What ceph-csi calls images when its StorageClass says nothing else. */
const defaultPrefix = 'csi-vol-'

/**
 * The image behind a volume handle of ceph-csi: `0001-<length>-<cluster id>-<pool id>-<uuid>`, both numbers in hex, whose
 * image is called `csi-vol-<uuid>`. PersistentVolumes of ceph-csi before 3.1 don't say the image's name themselves.
 *
 * @param prefix - `volumeNamePrefix` of its StorageClass
 * @returns `undefined` when it is no such handle
 */
export function imageOfHandle(handle: string, prefix: string = defaultPrefix): string | undefined {
  const match = /^0001-([0-9a-f]{4})-(.+)-[0-9a-f]{16}-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i.exec(handle)
  if (!match) return undefined
  const [, length = '', cluster = '', uuid = ''] = match
  return Number.parseInt(length, 16) === cluster.length ? `${prefix}${uuid}` : undefined
}
