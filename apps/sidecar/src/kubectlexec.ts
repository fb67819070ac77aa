// The entry of the bundle: bin/kubectlexec calls main().
import { createByteWriter, systemClock, type RuntimeClock } from '@holdfast/runtime'
import { runKubectlexec } from './compat/kubectlexec.ts'
import { onSignal } from './io.ts'

/** Without `performance`, which Node loads when it is first used. */
const clock: RuntimeClock = { ...systemClock, monotonic: () => Number(process.hrtime.bigint()) / 1e6 }

/** Runs this process' command line, and ends the process. */
export async function main(): Promise<void> {
  const { env, argv } = process
  let told = Promise.resolve()
  const code = await runKubectlexec(argv.slice(2), {
    env,
    clock,
    get stdin() {
      return process.stdin
    },
    onSignal,
    // Not by process.stdout and process.stderr: these cost milliseconds, and mostly there is nothing to say.
    say: (text, fd) => void (told = told.then(() => write(text, fd))),
  })
  // Whoever closed it does not want to hear it.
  await told.catch(() => {})
  process.exit(code)
}

async function write(text: string, fd: number): Promise<void> {
  await createByteWriter(fd)(Buffer.from(text))
}
