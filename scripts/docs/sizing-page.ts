import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../workspaces.ts'

/** A row of the table in `bench/README.md`. */
interface Row {
  readonly group: string
  readonly measured: string
  readonly ratio: string
  readonly bar: string
  readonly note: string
}

/** `docs/sizing.md`: what one needs, with figures of the benchmarks and no others. */
export function renderSizing(): string {
  const rows = rowsOf(readFileSync(join(root, 'bench/README.md'), 'utf8'))
  const some = (group: string, ...beginnings: readonly string[]): string => table(rows, group, beginnings)
  return `# Sizing

<!-- Generated from bench/README.md by \`npm run docs\`; its words are in scripts/docs/sizing-page.ts. -->

How much processor, memory and room Holdfast takes, from [the benchmarks](../bench/README.md), which anybody can run. They
compare with what a user would run instead, on the same machine at the same time; that is why they are mostly ratios: times
in the notes are those of the machine that measured (${machineOf(readFileSync(join(root, 'bench/README.md'), 'utf8'))}), ratios are likely to be yours, too.

## A daemon that waits

${some('cli', 'idle daemon', '1,000 plans')}${rowsOnly(rows, 'kubernetes', ['idle daemon'])}

Request somewhat more than the daemon in a pod takes. It uses next to no processor until a plan runs.

## A run

${some('artifact', 'artifact of 2 GiB')}${rowsOnly(rows, 'encryption', ['zstd, then age'])}${rowsOnly(rows, 'kubernetes', ["exec.container, 'status'", "exec.container, 'sha256'"])}${rowsOnly(rows, 'mongodump', ['mongodump →'])}

- **Memory does not depend on the size of a backup.** Streams pass through; a slow store makes the command wait.
- **Compressing takes a processor**, and so does reading back: zstd uses several threads. Give the container one or two processors
  for its runs, or a request without a limit.
- **Commands in other containers** leave over the API server. That way has a width of its own, and it is shared with all that
  the cluster does; \`sha256\` of both ends costs processor time in the container.
- \`concurrency\` of a plan is how many targets are backed up at once. Each takes the above.
- **Buckets** take a few parts of memory for each upload: [how much](s3.md#memory-and-how-long-a-stream-may-be).

## Many scripts, many plans

${some('cli', 'fridge -r, 200 scripts / execa', 'each further script')}${rowsOnly(rows, 'schedule', ['scheduler, 1,000 fires', 'scheduler, 10,000 fires'])}

## Volumes with Benji

${some('benji', 'frozen time', '16 volumes of 8 MiB, full, 4 at once / one', '16 volumes of 8 MiB, differential, 4 at once / one', 'a diff of')}

## Images

${some('kubernetes', 'image')}

## Room in the store

What a backup takes there, compressed, times what retention keeps. \`{ latest: 3, days: 14, months: 6 }\` keeps at most 23. Add one
backup: the new one is there before the old one goes. \`holdfast list --json\` has \`storedSize\` of each,
\`holdfast_target_backup_size_bytes\` watches what comes ([metrics](metrics.md)).
`
}

function rowsOf(page: string): readonly Row[] {
  const rows = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| ---'))
  return rows.slice(1).map((line) => {
    const [group = '', measured = '', ratio = '', bar = '', , note = ''] = line
      .slice(2, -2)
      .split(/ (?<!\\)\| /)
      .map((cell) => cell.trim())
    return { group, measured, ratio, bar, note }
  })
}

function machineOf(page: string): string {
  return /^Node v.* on .* cores/m.exec(page)?.[0].replace(/^Node/, 'Node.js') ?? 'see there'
}

function table(rows: readonly Row[], group: string, beginnings: readonly string[]): string {
  return `| measured | ratio, or as it says | bar | note |\n| --- | --- | --- | --- |\n${rowsOnly(rows, group, beginnings)}`
}

function rowsOnly(rows: readonly Row[], group: string, beginnings: readonly string[]): string {
  return beginnings
    .map((beginning) => {
      const found = rows.filter((row) => row.group === group && row.measured.startsWith(beginning))
      if (found.length === 0) throw new Error(`bench/README.md has no "${beginning}" in ${group}`)
      return found.map(({ measured, ratio, bar, note }) => `| ${measured} | ${ratio} | ${bar} | ${note} |\n`).join('')
    })
    .join('')
}
