import { fakeExec, pluginConformance, startFakeKubernetes, type PluginCase } from '@holdfast/testing'
import { test } from 'vitest'
import type { BenjiBackupOptions } from '../src/backup/options.ts'
import { benjiBackup } from '../src/benji-backup.ts'
import { benjiConfig } from './support/backup-run.ts'
import { addClaim, cephCsi } from './support/claims.ts'
import { createFakeBenji } from './support/fake-benji.ts'
import { createFakeCeph } from './support/fake-ceph.ts'

/** Commands that only look. */
const looks = /^(rbd( --\S+)* (info|snap ls|diff|ls|status)|benji( -\S+( \S+)?)* (ls|version-info|storage-stats))/

function world(image: string) {
  const ceph = createFakeCeph()
  ceph.create(image)
  const benji = createFakeBenji({ ceph })
  return {
    options: { engine: { configFile: benjiConfig(benji) } } satisfies Partial<BenjiBackupOptions>,
    exec: fakeExec({ benji: benji.command, rbd: ceph.command }),
    isRead: (command: readonly string[]) => looks.test(command.join(' ')),
    state: () => ceph.snapshotsOf(image),
  }
}

const images: PluginCase<BenjiBackupOptions> = {
  name: 'an image',
  setUp() {
    const { options, ...rest } = world('rbd/data')
    return { ...rest, options: { ...options, images: ['rbd/data'] } }
  },
}

const claims: PluginCase<BenjiBackupOptions> = {
  name: 'a claim',
  async setUp() {
    const cluster = await startFakeKubernetes({ namespace: 'backup' })
    cluster.objects.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'web' } })
    addClaim(cluster, { name: 'data', source: { ...cephCsi('csi-vol-1') } })
    const { options, ...rest } = world('rbd/csi-vol-1')
    return {
      ...rest,
      options: { ...options, namespaces: ['web'] },
      cluster,
      close: () => cluster[Symbol.asyncDispose](),
    }
  },
}

/** What is tested in freeze/ and restore/: it takes pods with an agent, or a restore. */
const neverArmed = {
  'benji-thaw': 'nothing is frozen',
  'benji-restore-claim': 'nothing is restored',
  'benji-unprotect': 'nothing is restored',
}

// Of a claim, what is not the same as of an image.
const checks = pluginConformance(benjiBackup, [images, claims], { neverArmed }).filter(
  ({ name }) => !name.startsWith('a claim') || /change nothing|Kubernetes API/.test(name),
)
for (const { name, run } of checks) test(name, run)
