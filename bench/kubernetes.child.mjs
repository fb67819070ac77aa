// Runs in a pod beside the target: times whole processes, ours and kubectl's by turns. Prints JSON.
import { spawnSync } from 'node:child_process'
import { readdirSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const { POD_NAME: pod, POD_NAMESPACE: namespace } = process.env
const holdfast = realpathSync(
  ['/usr/local/bin', ...process.env.PATH.split(':')]
    .map((each) => join(each, 'holdfast'))
    .find((each) => {
      try {
        realpathSync(each)
        return true
      } catch {
        return false
      }
    }),
)
const dist = join(dirname(holdfast), '../dist')
if (!readdirSync(dist).includes('runtime.js')) throw new Error(`no runtime in ${dist}`)

/** What a hook does: a dump into a sink, here one that counts. */
const program = `
import { createExec, createRedactor, openCluster, rawOutput, systemClock } from ${JSON.stringify(join(dist, 'runtime.js'))}
const log = { debug() {}, info() {}, warn() {}, error: console.error }
const cluster = await openCluster({ env: process.env, clock: systemClock })
const exec = createExec({ clock: systemClock, redactor: createRedactor(), output: rawOutput({ stdout: 2, stderr: 2, log }), signal: new AbortController().signal, log, cluster })
let bytes = 0
await exec.container({ pod: ${JSON.stringify(pod)}, container: 'target' }, { command: ['cat', '/data/file'], stdout: { write: async (chunk) => void (bytes += chunk.length) }, integrity: process.argv[1] })
if (bytes !== ${256 * 1024 * 1024}) throw new Error('only ' + bytes)
process.exit(0)
`
const kubectl = ['/kit/kubectl', '-n', namespace, 'exec', pod, '-c', 'target', '--']

function time(command, options) {
  const began = performance.now()
  const { status, stderr } = spawnSync(command[0], command.slice(1), {
    stdio: ['ignore', 'ignore', 'pipe'],
    ...options,
  })
  if (status !== 0) throw new Error(`${command.join(' ')}: ${status}: ${stderr}`)
  return performance.now() - began
}

function pairs(count, ours, theirs, before = () => {}) {
  const found = { ours: [], theirs: [] }
  for (let n = 0; n < count; n++) {
    // By turns, so that neither is always the second.
    const order =
      n % 2 === 0
        ? [
            ['ours', ours],
            ['theirs', theirs],
          ]
        : [
            ['theirs', theirs],
            ['ours', ours],
          ]
    for (const [name, command] of order) {
      before()
      found[name].push(time(command))
    }
  }
  return found
}

const exec = (integrity) => [process.execPath, '--input-type=module', '--eval', program, integrity]
let dropped = true
const drop = () => {
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '1')
  } catch {
    dropped = false
  }
}
const theirs = [...kubectl, 'cat', '/data/file']
const trivial = { ours: ['kubectlexec', '--', 'true'], theirs: [...kubectl, 'true'] }
time(trivial.ours)
time(trivial.theirs)
const status = pairs(9, exec('status'), theirs)
const sha256 = pairs(3, exec('sha256'), theirs)
const warm = pairs(41, trivial.ours, trivial.theirs)
const cold = pairs(15, trivial.ours, trivial.theirs, drop)
process.stdout.write(JSON.stringify({ status, sha256, warm, cold, dropped }))
