import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { blocksOf, nameOf, type PageBlock } from '../page-blocks.ts'

/** What stands by whose text somebody might say that a block is run: files of tests and of CI. */
export type Readers = ReadonlyMap<string, string>

/**
 * Blocks of a page that show a terminal, or what is typed into one, and don't say how it is known that they work, a line each.
 * What they say is held against the files that it names.
 *
 * @param page - its path from the root
 * @param readers - of the test files that look blocks up
 */
export function findUnrunBlocks(root: string, page: string, text: string, readers: Readers): readonly string[] {
  return blocksOf(text)
    .filter(isShell)
    .flatMap((block) => {
      const problem = problemOf(root, page, block, readers)
      return problem === undefined ? [] : [`${page}:${block.line} ${problem}`]
    })
}

function isShell({ language, text }: PageBlock): boolean {
  return ['sh', 'bash', 'console', 'dockerfile'].includes(language) || (language === '' && /^\$ /m.test(text))
}

function problemOf(root: string, page: string, block: PageBlock, readers: Readers): string | undefined {
  const { said = '', language, text } = block
  if (said === 'run') return language === 'console' || language === 'sh' ? undefined : `can't be run as ${language}`
  if (said === 'run: numbers differ') return language === 'console' ? undefined : 'has no numbers'
  if (said.startsWith('file: ')) return undefined
  const name = nameOf(said)
  if (name !== undefined) {
    const isRead = [...readers.values()].some((source) => source.includes(page) && source.includes(`'${name}'`))
    return isRead ? undefined : `is to be run as ${name}, and no test does`
  }
  const [, how, names = ''] = /^(seen|run by|copy of): (.+)$/.exec(said) ?? []
  if (how === undefined) return 'says nothing of how it is run: see "Pages" in CONTRIBUTING.md'
  const files = names.split(', ')
  const missing = files.find((file) => !existsSync(join(root, file)))
  if (missing !== undefined) return `names ${missing}, which is not there`
  const contents = files.map((file) => readFileSync(join(root, file), 'utf8'))
  if (how === 'copy of') {
    const copied = files[0]?.endsWith('.md') ? blocksOf(contents[0] ?? '').map((one) => one.text) : contents
    return copied.includes(text) ? undefined : `is not what is in ${files[0]}`
  }
  if (how === 'seen') {
    return contents.some((content) => content.includes(basename(page))) ? undefined : `is not seen by ${names}`
  }
  const commands = commandsOf(text).filter((command) => !contents.some((content) => content.includes(command)))
  return commands.length === 0 ? undefined : `has what ${names} does not have: ${commands.join(', ')}`
}

/** What a block calls, without what is said about it. */
function commandsOf(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.replace(/(^|\s)#.*$/, '').trim())
  const commands = lines.filter((line) => line !== '').flatMap((line) => line.split(' && '))
  // Of a script it is enough that it runs, with whatever arguments.
  return commands.map((command) =>
    command.startsWith('npm ') ? command : (/[\w.-]*\/[\w./-]+/.exec(command)?.[0] ?? command),
  )
}
