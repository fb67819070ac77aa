// What the pages show of a terminal is what a terminal shows: a page's commands are run one after the other, in a home
// directory of its own, and their output is compared.
// Part of `npm run site`, because it takes seconds.
//   node scripts/transcripts.ts                         says which pages are not as it is
//   node scripts/transcripts.ts docs/start/scripts.md   writes what differs into the page
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import process, { argv, env } from 'node:process'
import { listPages } from './docs/links.ts'
import { root } from './workspaces.ts'

/** A command of a page, and what the page says that it prints. */
export interface Step {
  readonly command: string
  readonly output: string
  /** What it counts is another number each time. */
  readonly numbersDiffer: boolean
}

/** Where the reader's home is, in the pages: as long as the one that they run in, so that columns have the same width. */
const home = '/home/operator'
const mark = '\u0001'

const block = /^(<!-- run(: numbers differ)? -->\n+```console\n)(.*?)^```$/gms

/**
 * The blocks `console` of a page that follow `<!-- run -->`, or `<!-- run: numbers differ -->` where each run counts
 * something else. A command begins with `$ `, and goes on after a `\`.
 */
export function stepsOf(text: string): readonly Step[] {
  return [...text.matchAll(block)].flatMap(([, , differ, content = '']) => stepsIn(content, differ !== undefined))
}

function stepsIn(content: string, numbersDiffer: boolean): readonly Step[] {
  return content
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const command = /^(?:.*\\\n)*.*/.exec(part)?.[0] ?? ''
      return { command, output: part.slice(command.length + 1), numbersDiffer }
    })
}

/** Files that a page has its reader write: blocks that follow `<!-- file: NAME -->` or `<!-- file: NAME, executable -->`. */
export function filesOf(
  text: string,
): readonly { readonly name: string; readonly mode: number; readonly text: string }[] {
  const found = text.matchAll(/^<!-- file: ([^\s,]+)(, executable)? -->\n+```\w+\n(.*?)^```$/gms)
  return [...found].map(([, name = '', executable, content = '']) => ({
    name,
    mode: executable === undefined ? 0o644 : 0o755,
    text: content,
  }))
}

/** What has happened before a page begins: commands in a comment `<!-- setup …`, which readers don't see. */
export function setupOf(text: string): string {
  return [...text.matchAll(/^<!-- setup\n(.*?)^-->$/gms)].map(([, commands = '']) => commands).join('')
}

/** Runs the steps of a page. @returns what each printed, and its exit code */
export function runSteps(text: string): readonly (Step & { readonly code: number })[] {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'hf-')))
  try {
    for (const file of filesOf(text)) {
      mkdirSync(dirname(join(place, file.name)), { recursive: true })
      writeFileSync(join(place, file.name), file.text.replaceAll(home, place), { mode: file.mode })
    }
    const steps = stepsOf(text)
    const script = steps
      .map(({ command }) => `${command.replaceAll(home, place)}\nprintf '${mark}%s${mark}' $?\n`)
      .join('')
    const setup = setupOf(text).replaceAll(home, place)
    const printed = execFileSync('bash', ['-c', `exec 2>&1\ncd\n${setup}printf '${mark}'\n${script}`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
      env: environment(place),
    })
    const [, ...parts] = printed.replaceAll(place, home).split(mark)
    return steps.map((step, index) => ({
      ...step,
      output: parts[2 * index] ?? '',
      code: Number(parts[2 * index + 1] ?? 1),
    }))
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** As if on a terminal, but for its colours. Setups find the repository by `REPOSITORY`. */
function environment(place: string): NodeJS.ProcessEnv {
  const path = [join(root, 'node_modules/.bin'), env['PATH']].join(delimiter)
  return {
    PATH: path,
    HOME: place,
    REPOSITORY: root,
    TZ: 'UTC',
    LANG: 'C.UTF-8',
    NO_COLOR: '1',
    HOLDFAST_LOG_FORMAT: 'pretty',
  }
}

/** What of an output is the same each time: not times, ids, digests, how long it took, and the widths that follow. */
export function lasting(output: string): string {
  return output
    .replaceAll(/\b[0-9a-f]{64}\b/g, 'DIGEST')
    .replaceAll(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'UUID')
    .replaceAll(/\b\d{8}T\d{6}(\.\d{3})?Z(-[0-9a-f]{8}\b)?/g, 'RUN')
    .replaceAll(/\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?[+-]\d{2}:\d{2}|Z| UTC)?/g, 'TIME')
    .replaceAll(/^\d{2}:\d{2}:\d{2} /gm, 'TIME ')
    .replaceAll(/^[0-9a-f]{8}\b/gm, 'ID')
    .replaceAll(/\b\d+(\.\d+)? ?(ms|s|m|h|d)\b( \d+ ?(ms|s|m|h)\b)?/g, 'LONG')
    .replaceAll(/\b\d+(\.\d+)? (B|KiB|MiB|GiB)\b/g, 'SIZE')
    .replaceAll(/ +/g, ' ')
    .replaceAll(/ $/gm, '')
    .trimEnd()
}

/** Whether an output is as the page has it. A line `…` of the page stands for any lines. */
export function fits({ output: page, numbersDiffer = false }: Partial<Step>, output: string): boolean {
  const text = (some: string): string => (numbersDiffer ? lasting(some).replaceAll(/\d+/g, 'N') : lasting(some))
  const pattern = text(page ?? '')
    .split('\n')
    .map((line) => (line === '…' ? '(?:.*\\n)*?.*' : line.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)))
    .join('\\n')
  return new RegExp(`^${pattern}$`).test(text(output))
}

/** What is not as a page says, a line each. */
export function findStale(text: string): readonly string[] {
  const steps = stepsOf(text)
  return runSteps(text).flatMap(({ command, output, code }, index) => [
    ...(code === 0 ? [] : [`$ ${command}: exit code ${code}\n${output}`]),
    ...(fits(steps[index] ?? {}, output) ? [] : [`$ ${command} prints\n${output}`]),
  ])
}

/** The page with the outputs that don't fit replaced. */
function mended(text: string): string {
  const ran = runSteps(text)
  let next = 0
  return text.replaceAll(block, (_, head: string, differ: string | undefined, content: string) => {
    const steps = stepsIn(content, differ !== undefined).map((step) => {
      const now = ran[next++]?.output ?? ''
      return `$ ${step.command}\n${fits(step, now) ? step.output : now.replace(/\n*$/, '\n').replace(/^\n$/, '')}`
    })
    return `${head}${steps.join('')}\`\`\``
  })
}

/** The pages that have something to run. */
export function pagesToRun(): readonly string[] {
  return listPages(root).filter((page) => stepsOf(readFileSync(join(root, page), 'utf8')).length > 0)
}

if (import.meta.filename === argv[1]) {
  const written = argv.slice(2)
  for (const page of written) writeFileSync(page, mended(readFileSync(page, 'utf8')))
  for (const page of written.length > 0 ? [] : pagesToRun()) {
    const stale = findStale(readFileSync(join(root, page), 'utf8'))
    console.log(stale.length === 0 ? `${page}: as it is` : `${page} is not as it is:\n${stale.join('\n')}`)
    if (stale.length > 0) process.exitCode = 1
  }
}
