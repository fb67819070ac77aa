// The entry of the bundle: bin/make-k8s-cfg-files.js calls main().
import { runMakeK8sCfgFiles } from './compat/make-k8s-cfg-files.ts'
import { endProcess, processIo } from './io.ts'

/** Runs this process as `make-k8s-cfg-files`, and ends the process. */
export async function main(): Promise<void> {
  await endProcess(await runMakeK8sCfgFiles(process.argv.slice(2), processIo()))
}
