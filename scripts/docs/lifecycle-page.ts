import { parseDuration, type HookKind, type HookName, type HookPolicy, type LifecyclePolicy } from '@holdfast/sdk'

type Policy = HookPolicy<HookKind>

const kinds: Readonly<Record<HookKind, string>> = {
  series: 'series',
  parallel: 'parallel',
  targets: 'per target',
  observe: 'observer',
}

const occasions: Readonly<Record<Policy['when'], string>> = {
  boot: 'once per process start',
  always: 'once, always',
  'has-targets': 'if there is a target',
  'some-target-succeeded': 'once, if some target succeeded',
  'target-succeeded': 'for each target that succeeded',
  'target-verified': 'for each target whose newest restore point is verified',
  'work-done': 'once, if some target succeeded, or in a maintenance plan',
  'not-succeeded': 'once, if the run is `failed`, `partial` or `aborted`',
}

const failures: Readonly<Record<Policy['onFailure'], string>> = {
  'stop-boot': 'the process exits 1',
  'fail-run': 'run `failed`',
  'fail-target': 'that target `failed`, the others go on',
  'unverify-target': 'that target unverified, run `partial`',
  warn: 'a warning, changes nothing',
}

const dryRuns: Readonly<Record<Policy['inDryRun'], string>> = {
  run: 'runs',
  skip: 'is left out',
  print: 'is printed',
}

/** `docs/lifecycle.md`: the table that the runner follows, in words. */
export function renderLifecycle(policy: LifecyclePolicy): string {
  const rows = (Object.keys(policy) as readonly HookName[]).map((name) => renderRow(name, policy[name]))
  return `# The hooks of a run

<!-- Generated from packages/runtime/src/lifecycle/policy.ts by \`npm run docs\`: edit there. -->

Hooks run in this order. The runner follows the constant that this table is made from, in one way per kind of hook.

| hook | kind | runs | after a run-level failure | when it fails | dry run | budget |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

- **series**: one handler after the other; the first failure stops the rest. **parallel**: all handlers at once; all
  problems are reported together. **per target**: once for each target, isolated from the others. **observer**: watches;
  a failure is logged and counted.
- A budget is the default; \`timeout\` of a hook sets another. A budget marked † comes with a fresh signal from the run's
  reserve, so that a run which was aborted or ran out of time still gets there.
- What the engine itself does in \`verifyBackups\`, reading everything back, may take as long as the run.
- The undo window of \`beforeBackups\` closes between \`backups\` and \`afterBackups\`, as soon as the last backup settles:
  what was quiesced is given back there, newest first. Undos armed in \`backups\` or later fire when that handler for that
  target settles.
- Artifacts are copied to the plan's [copies](storage.md#copies) between \`verifyBackups\` and \`pruneBackups\`, if a target
  succeeded; a copy that lacks something makes the run \`partial\`.
`
}

function renderRow(name: HookName, policy: Policy): string {
  const cells = [
    `\`${name}\``,
    kinds[policy.kind],
    occasions[policy.when],
    policy.afterRunFailure ? 'yes' : 'no',
    failures[policy.onFailure],
    dryRuns[policy.inDryRun],
    `${words(policy)}${policy.signal === 'reserve' ? ' †' : ''}`,
  ]
  return `| ${cells.join(' | ')} |`
}

function words({ timeout }: Policy): string {
  const minutes = parseDuration(timeout) / 60_000
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${minutes} min`
}
