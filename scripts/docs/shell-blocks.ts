import type { Command } from 'commander'
import type { Helps } from './command-line-page.ts'

/** What is known of the programs that pages call. */
export interface Programs {
  /** Commands of `holdfast`, by the words that call them. */
  readonly commands: ReadonlyMap<string, Command>
  /** What each program says about itself. */
  readonly helps: Helps
  /** Scripts of the repository's package.json. */
  readonly scripts: readonly string[]
}

/** Commands that plugins add: `holdfast benji gc`, and that of the page on writing one. Their options are their own. */
const ofPlugins = new Set(['benji', 'redis'])

/**
 * Calls of our programs in a page that can't be: commands, options and arguments that there are none of. Looked at are
 * blocks of shell and of a terminal, and what stands as code in a sentence.
 */
export function findCommandProblems(page: string, text: string, programs: Programs): readonly string[] {
  const blocks = [...text.matchAll(/^( *)```(?:sh|console|)\n(.*?)^\1```/gms)].map(([, , block = '']) => block)
  const spans = [...text.replaceAll(/^( *)```.*?^\1```/gms, '').matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map(
    ([, span = '']) => span,
  )
  const lines = [...blocks.map((block) => block.replaceAll(/\\\n\s*/g, ' ')), ...spans].flatMap((part) =>
    part.split('\n'),
  )
  return [...new Set(lines.flatMap((line) => callsIn(line)).flatMap((call) => problemsOf(call, programs)))].map(
    (problem) => `${page}: ${problem}`,
  )
}

/** The simple commands of a line whose first word is a program of ours or npm. */
function callsIn(line: string): readonly (readonly string[])[] {
  const command = line.replace(/^\s*\$ /, '').replace(/(^|\s)#.*$/, '')
  const words = command.match(/"(?:\\.|[^"\\])*"|'[^']*'|[^\s"']+(?:"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'])*|\S/g) ?? []
  const calls: string[][] = [[]]
  for (const word of words) {
    if (/^(?:\||\|\||&&|;|&|\(|\)|\{|\})$/.test(word)) calls.push([])
    else if (/^\d?[<>]/.test(word)) calls.at(-1)?.push('>')
    else calls.at(-1)?.push(word.replace(/[;)]+$/, ''))
    if (word.endsWith(';')) calls.push([])
  }
  return calls.map((call) => {
    const end = call.indexOf('>')
    const bare = end === -1 ? call : call.slice(0, end)
    const first = bare.findIndex((word) => !/^\w+=|^\(?set$|^exec$|^sudo$/.test(word))
    return first === -1 ? [] : bare.slice(first).map((word) => word.replace(/^\(/, ''))
  })
}

function problemsOf(call: readonly string[], programs: Programs): readonly string[] {
  const [program = '', ...args] = call
  if (program === 'holdfast') return holdfastProblems(args, programs.commands)
  if (program === 'npm' && args[0] === 'run') {
    const name = args[1] ?? ''
    return programs.scripts.includes(name) || !/^[a-z]/.test(name) ? [] : [`npm run ${name}: there is no such script`]
  }
  const help = programs.helps.get(program)
  if (help === undefined || args.includes('--')) return []
  const options = args.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/=.*$/, ''))
  if (program === 'kubectlexec' || program.endsWith('_var') || program === 'benji-command') return []
  const known = (option: string): boolean => new RegExp(`(^|[\\s,[|])${option}\\b`).test(help)
  return options.filter((option) => !known(option)).map((option) => `${program} has no option ${option}`)
}

function holdfastProblems(args: readonly string[], commands: ReadonlyMap<string, Command>): readonly string[] {
  let words = 'holdfast'
  const rest: string[] = []
  const globals = commands.get('holdfast')?.options ?? []
  for (let index = 0; index < args.length; index++) {
    const word = args[index] ?? ''
    // `undo list|run`, `…`, `[PLAN]`: a page's way to say more than one call.
    if (/[|…[\]]/.test(word)) return []
    const next = `${words} ${word}`
    if (rest.length === 0 && commands.has(next)) {
      words = next
      continue
    }
    if (words === 'holdfast' && (ofPlugins.has(word) || word === 'help' || /^[A-Z]/.test(word))) return []
    if (words === 'holdfast' && !word.startsWith('-')) return [`holdfast has no command ${word}`]
    if (!word.startsWith('-') || word === '-') {
      rest.push(word)
      continue
    }
    const [name = '', value] = word.split('=', 2)
    const option = [...(commands.get(words)?.options ?? []), ...globals].find(
      ({ long, short }) => long === name || short === name,
    )
    if (option === undefined && !['--help', '-h'].includes(name)) return [`${words} has no option ${name}`]
    if (option?.required === true && value === undefined) {
      const given = args[index + 1] ?? ''
      const { argChoices: choices } = option
      if (choices !== undefined && /^[a-z]/.test(given) && !choices.includes(given)) {
        return [`${words} ${name} can't be ${given}`]
      }
      index++
    }
  }
  const command = commands.get(words)
  if (command === undefined || words === 'holdfast help' || (command.commands.length > 0 && rest.length === 0))
    return []
  const { registeredArguments: known } = command
  if (command.commands.length > 0) return [`${words} has no command ${rest[0]}`]
  const most = known.at(-1)?.variadic === true ? Number.MAX_SAFE_INTEGER : known.length
  return rest.length > most ? [`${words} takes no ${rest.slice(most).join(' ')}`] : []
}
