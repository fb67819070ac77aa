import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import type { CommandContext } from '../context.ts'
import { errors } from '../errors.ts'
import { exitCode } from '../exit-codes.ts'
import { templates, type ConfigTemplate } from '../templates.ts'

/** Options of `holdfast init`. */
export interface InitOptions {
  readonly form: ConfigTemplate
}

/** `holdfast init [DIRECTORY]`: writes a first configuration; all of its files or none, and never over a file. */
export async function runInitCommand(
  context: CommandContext,
  directory: string | undefined,
  { form }: InitOptions,
): Promise<number> {
  const { io, settings, style } = context
  const into = resolve(io.cwd, directory ?? '.')
  const files = templates[form].map((file) => ({ ...file, path: join(into, file.name) }))
  const taken = files.find(({ path }) => existsSync(path))
  if (taken) throw errors.FILE_EXISTS({ path: taken.path })
  for (const { path, text, executable } of files) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text, { flag: 'wx' })
    if (executable) chmodSync(path, 0o755)
  }
  if (settings.json) context.printJson({ files: files.map(({ path }) => path) })
  else {
    const names = files.map(({ path, about }) => `  ${style.green('+')} ${relative(io.cwd, path)}  ${style.dim(about)}`)
    const inside = into === io.cwd ? '' : `cd ${relative(io.cwd, into)} && `
    context.print(
      `${names.join('\n')}\n\nNext: ${style.bold(`${inside}holdfast plan`)}, then ${style.bold('holdfast run example')}\n`,
    )
  }
  return exitCode.ok
}
