import type { CommandContext } from '../context.ts'
import { checkCluster } from '../doctor/cluster.ts'
import { checkConfiguration } from '../doctor/configuration.ts'
import type { Finding } from '../doctor/check.ts'
import { checkCommands, checkNode, checkTime } from '../doctor/environment.ts'
import { checkDaemon, checkJournal, checkStateDirectory } from '../doctor/state.ts'
import { exitCode } from '../exit-codes.ts'
import { count } from '../output/format.ts'
import { printable } from '../output/printable.ts'
import { wrap } from '../output/wrap.ts'
import { version } from '../version.ts'

/** `holdfast doctor`: looks at everything that a backup needs. */
export async function runDoctorCommand(context: CommandContext): Promise<number> {
  const { settings, style, width, print } = context
  const findings: readonly Finding[] = [
    ...checkNode(),
    ...(await checkConfiguration(context)),
    ...checkStateDirectory(context),
    ...checkJournal(context),
    ...checkDaemon(context),
    ...(await checkCluster(context)),
    ...checkTime(context),
    ...checkCommands(context),
  ]
  const problems = findings.filter(({ status }) => status === 'problem')
  const code = problems.length === 0 ? exitCode.ok : exitCode.failed
  if (settings.json) {
    context.printJson({ version, ok: problems.length === 0, findings })
    return code
  }
  const marks = { ok: style.green('✓'), warning: style.yellow('!'), problem: style.red('✗') }
  const column = Math.max(...findings.map(({ check }) => check.length))
  for (const { check, status, message, hint } of findings) {
    print(`${marks[status]} ${check.padEnd(column)}  ${printable(message)}\n`)
    const indent = ' '.repeat(column + 4)
    for (const line of hint ? wrap(printable(hint), width && width - indent.length) : [])
      print(`${style.dim(indent + line)}\n`)
  }
  print(`\n${verdict(findings)}\n`)
  return code
}

/** A warning is no reason to wait, but none to be silent either: without a configuration nothing is backed up. */
function verdict(findings: readonly Finding[]): string {
  const of = (status: Finding['status']): number => findings.filter((finding) => finding.status === status).length
  if (of('problem') > 0) return `${count(of('problem'), 'problem')}.`
  const warnings = of('warning')
  return `Holdfast ${version} is fit to run${warnings === 0 ? '' : `, with ${count(warnings, 'warning')}`}.`
}
