// Runs the benchmarks, each in a process of its own, and writes bench/results.json and the table in bench/README.md.
// `npm run bench`, or `npm run bench -- exec cli` for some of them.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import type { Result } from './result.ts'

const here = import.meta.dirname
const wanted = process.argv.slice(2)
const files = readdirSync(here)
  .filter((name) => name.endsWith('.bench.ts'))
  .filter((name) => wanted.length === 0 || wanted.some((word) => name.includes(word)))

const results: (Result & { readonly group: string })[] = []
for (const file of files) {
  const group = basename(file, '.bench.ts')
  process.stdout.write(`${group} …\n`)
  const program = `const { run } = await import(${JSON.stringify(join(here, file))}); process.stdout.write('\\n' + JSON.stringify(await run()))`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@holdfast/source', '--input-type=module', '--eval', program],
    { maxBuffer: 64 * 1024 * 1024, cwd: join(here, '..') },
  )
  const found = JSON.parse(stdout.slice(stdout.lastIndexOf('\n') + 1)) as Result[]
  for (const result of found) {
    results.push({ group, ...result })
    process.stdout.write(`  ${result.pass ? '✓' : '✗'} ${result.name}: ${result.ratio.toFixed(2)} (${result.bar})\n`)
  }
}

// What was not measured this time stays as it was.
const measured = new Set(results.map(({ group }) => group))
const known = JSON.parse(readFileSync(join(here, 'results.json'), 'utf8')) as { readonly results: typeof results }
const all = [...known.results.filter(({ group }) => !measured.has(group)), ...results].toSorted((a, b) =>
  a.group < b.group ? -1 : a.group > b.group ? 1 : 0,
)
if (results.length > 0) {
  const machine = { cpus: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), node: process.version }
  writeFileSync(join(here, 'results.json'), `${JSON.stringify({ machine, results: all }, undefined, 2)}\n`)
  const rows = all.map(({ group, name, ratio, bar, pass, note = '' }) => {
    const cells = [group, name, ratio.toFixed(2), bar, pass ? 'yes' : '**no**', note]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  const table = [
    '| what | measured | ratio | bar | holds | note |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
  const readme = join(here, 'README.md')
  const [before] = readFileSync(readme, 'utf8').split('<!-- results -->')
  writeFileSync(readme, `${before}<!-- results -->\n\nNode ${process.version} on ${machine.cpus} cores.\n\n${table}\n`)
}
process.exitCode = results.every(({ pass }) => pass) ? 0 : 1
