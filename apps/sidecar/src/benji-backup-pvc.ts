// The entry of the bundle: bin/benji-backup-pvc.js calls main().
import { runBenjiBackupPvc } from './compat/benji-backup-pvc.ts'
import { endProcess, processIo } from './io.ts'

/** Runs this process as `benji-backup-pvc`, and ends the process. */
export async function main(): Promise<void> {
  await endProcess(await runBenjiBackupPvc(process.argv.slice(2), processIo()))
}
