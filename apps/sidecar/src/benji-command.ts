// The entry of the bundle: bin/benji-command.js calls main().
import { runBenjiCommand } from './compat/benji-command.ts'
import { endProcess, processIo } from './io.ts'

/** Runs this process as `benji-command`, and ends the process. */
export async function main(): Promise<void> {
  await endProcess(await runBenjiCommand(process.argv.slice(2), processIo()))
}
