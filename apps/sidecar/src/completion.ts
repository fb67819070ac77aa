import type { Command } from 'commander'

/** The shells that {@link completionScript} knows. */
export const shells = ['bash', 'zsh', 'fish'] as const

/** One of them. */
export type Shell = (typeof shells)[number]

/** A script that completes the commands, options and fixed choices of a program. */
export function completionScript(program: Command, shell: Shell): string {
  const entries = entriesOf(program, [])
  const name = program.name()
  switch (shell) {
    case 'bash':
      return bash(name, entries)
    case 'zsh':
      return zsh(name, entries)
    case 'fish':
      return fish(name, entries)
  }
}

interface Word {
  readonly word: string
  readonly description: string
}

/** What may follow one command: `['undo', 'run']`. */
interface Entry {
  readonly path: readonly string[]
  readonly words: readonly Word[]
  readonly options: readonly Word[]
  /** Options that take a value, and its choices, where they are fixed. */
  readonly values: readonly { readonly option: string; readonly choices: readonly string[] }[]
}

function entriesOf(command: Command, path: readonly string[]): readonly Entry[] {
  const help = command.createHelp()
  const options = [...command.options, ...(path.length > 0 ? help.visibleGlobalOptions(command) : [])]
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? [])
  const below = command.commands.map((each) => ({
    word: each.name(),
    description: each.summary() || each.description(),
  }))
  return [
    {
      path,
      words: [...below, ...choices.map((word) => ({ word, description: '' }))],
      options: options.flatMap(({ long, description }) => (long ? [{ word: long, description }] : [])),
      values: options.flatMap(({ long, argChoices, required }) =>
        long && required ? [{ option: long, choices: argChoices ?? [] }] : [],
      ),
    },
    ...command.commands.flatMap((each) => entriesOf(each, [...path, each.name()])),
  ]
}

function bash(name: string, entries: readonly Entry[]): string {
  const valued = [...new Map(entries.flatMap(({ values }) => values).map((value) => [value.option, value])).values()]
  const free = valued.filter(({ choices }) => choices.length === 0).map(({ option }) => option)
  return `# Completes ${name} in bash: source <(${name} completion bash)
_${name}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} path= index
  COMPREPLY=()
  case $before in
${valued
  .filter(({ choices }) => choices.length > 0)
  .map(
    ({ option, choices }) =>
      `    ${option}) mapfile -t COMPREPLY < <(compgen -W '${choices.join(' ')}' -- "$word"); return ;;`,
  )
  .join('\n')}
    ${free.join(' | ')}) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
  esac
  for ((index = 1; index < COMP_CWORD; index++)); do
    case $path/\${COMP_WORDS[index]} in
      ${entries
        .filter(({ path }) => path.length > 0)
        .map(({ path }) => `/${path.join('/')}`)
        .join(' | ')}) path+=/\${COMP_WORDS[index]} ;;
    esac
  done
  case $path in
${entries
  .map(({ path, words, options }) => {
    const all = [...words, ...options].map(({ word }) => word).join(' ')
    return `    '${path.map((part) => `/${part}`).join('')}') mapfile -t COMPREPLY < <(compgen -W '${all}' -- "$word") ;;`
  })
  .join('\n')}
  esac
}
complete -o bashdefault -o default -F _${name} ${name}
`
}

function zsh(name: string, entries: readonly Entry[]): string {
  const described = ({ word, description }: Word): string =>
    quote(description === '' ? word : `${word.replaceAll(':', String.raw`\:`)}:${description}`)
  return `#compdef ${name}
# Completes ${name} in zsh: source <(${name} completion zsh)
_${name}() {
  local word_path= index
  local -a words_here options_here
  for ((index = 2; index < CURRENT; index++)); do
    case "$word_path/\${words[index]}" in
      ${entries
        .filter(({ path }) => path.length > 0)
        .map(({ path }) => `/${path.join('/')}`)
        .join(' | ')}) word_path+="/\${words[index]}" ;;
    esac
  done
  case "$word_path" in
${entries
  .map(
    ({ path, words, options }) => `    '${path.map((part) => `/${part}`).join('')}')
      words_here=(${words.map(described).join(' ')})
      options_here=(${options.map(described).join(' ')}) ;;`,
  )
  .join('\n')}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    _describe option options_here
  else
    _describe command words_here || _files
  fi
}
compdef _${name} ${name}
`
}

function fish(name: string, entries: readonly Entry[]): string {
  const lines = entries.flatMap(({ path, words, options, values }) => {
    const condition = quote(fishCondition(path, words))
    return [
      ...words.map(
        ({ word, description }) => `complete -c ${name} -n ${condition} -f -a ${quote(word)} -d ${quote(description)}`,
      ),
      ...options.map(({ word, description }) => {
        const value = values.find(({ option }) => option === word)
        const choices =
          value && value.choices.length > 0 ? ` -x -a ${quote(value.choices.join(' '))}` : value ? ' -r' : ''
        return `complete -c ${name} -n ${condition} -l ${word.slice(2)} -d ${quote(description)}${choices}`
      }),
    ]
  })
  return `# Completes ${name} in fish: ${name} completion fish | source\n${lines.join('\n')}\n`
}

function fishCondition(path: readonly string[], words: readonly Word[]): string {
  const seen = path.map((part) => `__fish_seen_subcommand_from ${part}`)
  const deeper = words.map(({ word }) => word).join(' ')
  if (path.length === 0) return deeper === '' ? '' : `not __fish_seen_subcommand_from ${deeper}`
  return seen.join('; and ')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
