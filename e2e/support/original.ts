// What Benji's Kubernetes tools leave behind for a claim, made with the commands that they call.
import { randomBytes } from 'node:crypto'
import type { Site } from './benji.ts'
import { createSnapshot } from './ceph.ts'
import { succeed } from './kubectl.ts'
import type { VolumeOfClaim } from './volumes.ts'

/** Makes a full backup: a snapshot, hints of what is in it, a version with their labels. @returns its uid */
export async function backUpAsBenjiDoes(
  { project, benji }: Site,
  { claim, volume, image, pv }: VolumeOfClaim,
  snapshot: string,
): Promise<string> {
  const namespace = volume.slice(0, volume.indexOf('/'))
  await createSnapshot(image, snapshot)
  const hints = await succeed('rbd', ['diff', '--whole-object', '--format=json', `${image}@${snapshot}`])
  project.write('hints.json', hints)
  const uid = `${namespace}-${claim}-${randomBytes(3).toString('hex')}`
  const labels = {
    instance: 'benji-k8s',
    'ceph-pool': 'rbd',
    'ceph-namespace': '',
    'ceph-rbd-image': image.slice('rbd/'.length),
    'k8s-pvc-namespace': namespace,
    'k8s-pvc': claim,
    'k8s-pv': pv,
  }
  const how = `--snapshot ${snapshot} --rbd-hints ${project.at('hints.json')} --uid ${uid}`.split(' ')
  const labelled = Object.entries(labels).flatMap(([name, value]) => ['--label', `benji-backup.me/${name}=${value}`])
  await benji.command('backup', ...how, ...labelled, `rbd:${image}@${snapshot}`, volume)
  return uid
}
