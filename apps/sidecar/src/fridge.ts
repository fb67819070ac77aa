// The entry of the bundle: bin/fridge.js calls main().
import { runFridge } from './compat/fridge.ts'
import { endProcess, processIo } from './io.ts'
import { commandDirectory } from './modules.ts'

/** Runs this process as `fridge`, and ends the process. */
export async function main(): Promise<void> {
  process.env['HOLDFAST_BIN'] ??= commandDirectory
  await endProcess(await runFridge(process.argv.slice(2), processIo()))
}
