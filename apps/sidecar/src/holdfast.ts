// The entry of the bundle: bin/holdfast.js calls main().
import { endProcess, processIo } from './io.ts'
import { runHoldfast } from './main.ts'
import { commandDirectory } from './modules.ts'

/** Runs this process' command line, and ends the process. */
export async function main(): Promise<void> {
  // Scripts find save_var and the others there.
  process.env['HOLDFAST_BIN'] ??= commandDirectory
  await endProcess(await runHoldfast(process.argv.slice(2), processIo()))
}
