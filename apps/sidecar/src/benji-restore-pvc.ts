// The entry of the bundle: bin/benji-restore-pvc.js calls main().
import { runBenjiRestorePvc } from './compat/benji-restore-pvc.ts'
import { endProcess, processIo } from './io.ts'

/** Runs this process as `benji-restore-pvc`, and ends the process. */
export async function main(): Promise<void> {
  await endProcess(await runBenjiRestorePvc(process.argv.slice(2), processIo()))
}
