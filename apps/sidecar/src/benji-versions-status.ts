// The entry of the bundle: bin/benji-versions-status.js calls main().
import { runBenjiVersionsStatus } from './compat/benji-versions-status.ts'
import { endProcess, processIo } from './io.ts'

/** Runs this process as `benji-versions-status`, and ends the process. */
export async function main(): Promise<void> {
  await endProcess(await runBenjiVersionsStatus(process.argv.slice(2), processIo()))
}
