// The entry of the bundle: bin/kubectlexec.js calls main().
import { runKubectlexec } from './compat/kubectlexec.ts'
import { endProcess, processIo } from './io.ts'

/** Runs this process' command line, and ends the process. */
export async function main(): Promise<void> {
  await endProcess(await runKubectlexec(process.argv.slice(2), processIo()))
}
