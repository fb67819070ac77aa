// What the pages show of a terminal is what a terminal shows: a page's commands are run one after the other, in a home
// directory of its own, and their output is compared. Where a page shows commands only, they have to end well.
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
  /** `undefined` where the page shows none. */
  readonly output: string | undefined
  /** What it counts is another number each time. */
  readonly numbersDiffer: boolean
}

/** Where the reader's home is, in the pages: as long as the one that they run in, so that columns have the same width. */
const home = '/home/operator'
const mark = '\u0001'

const block = /^(<!-- run(: numbers differ)? -->\n+```(console|sh)\n)(.*?)^```$/gms
const hidden = /^<!-- setup\n(.*?)^-->$/gms

/**
 * The commands of a page: blocks that follow `<!-- run -->`, or `<!-- run: numbers differ -->` where each run counts something
 * else. In blocks `console` a command begins with `$ `, and goes on after a `\`; in blocks `sh` each line is one. Between
 * them is what readers don't see, in comments `<!-- setup …`.
 */
export function stepsOf(text: string): readonly Step[] {
  const shown = [...text.matchAll(block)].map(({ index, 2: differ, 3: language, 4: content = '' }) => ({
    index,
    steps: language === 'sh' ? linesIn(content) : stepsIn(content, differ !== undefined),
  }))
  const setups = [...text.matchAll(hidden)].map(({ index, 1: command = '' }) => ({ index, steps: [silent(command)] }))
  return [...shown, ...setups].toSorted((one, other) => one.index - other.index).flatMap(({ steps }) => steps)
}

interface Shown extends Step {
  readonly output: string
}

function stepsIn(content: string, numbersDiffer: boolean): readonly Shown[] {
  return content
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const command = /^(?:.*\\\n)*.*/.exec(part)?.[0] ?? ''
      return { command, output: part.slice(command.length + 1), numbersDiffer }
    })
}

function linesIn(content: string): readonly Step[] {
  const lines = content.match(/^(?:.*\\\n)*.+$/gm) ?? []
  return lines.filter((line) => !line.startsWith('#')).map(silent)
}

function silent(command: string): Step {
  return { command, output: undefined, numbersDiffer: false }
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

/**
 * Directories of a page, `<!-- places: /scripts, /data -->`, that are below the home directory when it is run, as
 * `$HOME/root/scripts`.
 */
function placesOf(text: string): readonly string[] {
  return [...text.matchAll(/^<!-- places: (.+) -->$/gm)].flatMap(([, places = '']) => places.split(', '))
}

/** Runs the steps of a page. @returns what each printed, and its exit code */
export function runSteps(text: string): readonly { readonly output: string; readonly code: number }[] {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'hf-')))
  const places = placesOf(text)
  const here = (some: string): string =>
    places.reduce(
      (moved, path) => moved.replaceAll(new RegExp(`(?<![\\w./-])${path}(?![\\w-])`, 'g'), `${place}/root${path}`),
      some.replaceAll(home, place),
    )
  try {
    for (const path of places) mkdirSync(join(place, 'root', path), { recursive: true })
    for (const file of filesOf(text)) {
      const path = file.name.startsWith('/') ? join(place, 'root', file.name) : join(place, file.name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, here(file.text), { mode: file.mode })
    }
    const steps = stepsOf(text)
    const script = steps.map(({ command }) => `${inBackground(here(command))}\nprintf '${mark}%s${mark}' $?\n`).join('')
    const prelude = `exec 2>&1\ntrap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\ncd\nprintf '${mark}'\n`
    const printed = execFileSync('bash', ['-c', prelude + script], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
      env: environment(place),
    })
    const shown = printed.replaceAll(`${place}/root/`, '/').replaceAll(place, home)
    const [, ...parts] = shown.split(mark)
    return steps.map((_, index) => ({ output: parts[2 * index] ?? '', code: Number(parts[2 * index + 1] ?? 1) }))
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** A daemon goes on while the page does; its socket says that it is ready. */
function inBackground(commands: string): string {
  return commands.replaceAll(/^(.*\bholdfast daemon\b.*?)( *#.*)?$/gm, (_, command: string) => {
    const socket = '"${HOLDFAST_STATE_DIR:?}/http.sock"'
    return `${command} >daemon.log &
until curl -sf --unix-socket ${socket} http://localhost/readyz >readyz; do
  sleep 0.1; kill -0 $! 2>/dev/null || { cat daemon.log; false; break; }
done`
  })
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
  const ran = runSteps(text)
  return stepsOf(text).flatMap((step, index) => {
    const { output = '', code = 1 } = ran[index] ?? {}
    return [
      ...(code === 0 ? [] : [`$ ${step.command}: exit code ${code}\n${output}`]),
      ...(step.output === undefined || fits(step, output) ? [] : [`$ ${step.command} prints\n${output}`]),
    ]
  })
}

/** The page with the outputs that don't fit replaced. */
function mended(text: string): string {
  const ran = runSteps(text)
  const outputs = stepsOf(text).flatMap(({ output }, index) => (output === undefined ? [] : [ran[index]?.output ?? '']))
  let next = 0
  return text.replaceAll(
    block,
    (whole, head: string, differ: string | undefined, language: string, content: string) => {
      if (language === 'sh') return whole
      const steps = stepsIn(content, differ !== undefined).map((step) => {
        const now = outputs[next++] ?? ''
        return `$ ${step.command}\n${fits(step, now) ? step.output : now.replace(/\n*$/, '\n').replace(/^\n$/, '')}`
      })
      return `${head}${steps.join('')}\`\`\``
    },
  )
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
