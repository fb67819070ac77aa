// Pages as somebody follows them: their blocks are typed into a shell as they stand there.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { blockOf } from '../../scripts/page-blocks.ts'
import { filesOf } from '../../scripts/transcripts.ts'
import { environment } from './cli.ts'
import { run, succeed } from './kubectl.ts'

const root = join(import.meta.dirname, '../..')

/** Where a page is followed. */
export interface ReaderOptions {
  readonly page: string
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv | undefined
  /** Where it is typed, in place of this machine: a shell in a pod, say. */
  readonly shell?: readonly string[] | undefined
  /** What the page has made up → what it is here: addresses, names, paths. */
  readonly here?: Readonly<Record<string, string>> | undefined
}

/** Somebody who follows a page. */
export interface Reader {
  /** Writes the files that the page has its reader write: `<!-- file: NAME -->`. */
  write(): void
  /** Types blocks `<!-- run: NAME -->`, one after the other, into one shell that ends with the first that fails. */
  type(...names: readonly string[]): Promise<string>
}

/** Follows a page. */
export function readerOf({ page, cwd, env, shell = ['bash'], here = {} }: ReaderOptions): Reader {
  const adapted = (text: string): string =>
    Object.entries(here).reduce((changed, [theirs, ours]) => changed.replaceAll(theirs, ours), text)
  return {
    write() {
      for (const { name, mode, text } of filesOf(readFileSync(join(root, page), 'utf8'))) {
        mkdirSync(dirname(join(cwd, name)), { recursive: true })
        writeFileSync(join(cwd, name), adapted(text), { mode })
      }
    },
    async type(...names) {
      const script = adapted(names.map((name) => blockOf(page, name)).join(''))
      const path = [join(import.meta.dirname, 'bin'), join(root, 'node_modules/.bin'), process.env['PATH']].join(':')
      const given = { HOLDFAST_LOG_FORMAT: 'pretty', NO_COLOR: '1', TZ: 'UTC', PATH: path, ...env }
      const options = { cwd, env: environment({ cwd, env: given }) }
      const [program = 'bash', ...words] = shell
      const input = `exec 2>&1; set -euo pipefail\n${script}`
      const { code, stdout, stderr } = await run(program, [...words, '-c', input], options)
      if (code !== 0) throw new Error(`${page}, ${names.join()}:\n${script}\nended with ${code}:\n${stdout}${stderr}`)
      return stdout
    },
  }
}

/** A kubeconfig of the kit's administrator, who is in a namespace: written into a directory. */
export async function kubeconfigIn(namespace: string, directory: string): Promise<string> {
  const file = join(directory, 'kubeconfig')
  writeFileSync(file, await succeed('kubectl', ['config', 'view', '--raw', '--minify']), { mode: 0o600 })
  await succeed('kubectl', ['--kubeconfig', file, 'config', 'set-context', '--current', `--namespace=${namespace}`])
  return file
}
