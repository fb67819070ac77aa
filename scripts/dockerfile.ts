// Reads Dockerfiles, and says what is wrong with one, without a container engine.

/** One instruction of a Dockerfile, with its lines joined. */
export interface Instruction {
  /** In capitals. */
  readonly name: string
  /** What follows the name. */
  readonly text: string
  /** The same, as the list that the exec form is, else as words. */
  readonly words: readonly string[]
  /** Whether it is in the exec form. */
  readonly isList: boolean
}

/** From one FROM to the next. */
export interface Stage {
  readonly from: string
  readonly name: string | undefined
  /** Without the FROM. */
  readonly instructions: readonly Instruction[]
}

/** A Dockerfile. */
export interface Dockerfile {
  /** The comment at its top: its first line says what the image is. */
  readonly title: string
  /** Defaults of the arguments before the first FROM. */
  readonly arguments: Readonly<Record<string, string>>
  readonly stages: readonly Stage[]
}

/** Reads one; heredocs are not understood. */
export function parseDockerfile(source: string): Dockerfile {
  const [title = ''] = source.split('\n', 1)
  const text = source.replaceAll(/^\s*#.*\n/gm, '').replaceAll(/\\\n\s*/g, '')
  const all = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(readInstruction)
  const first = all.findIndex(({ name }) => name === 'FROM')
  const stages: { from: string; name: string | undefined; instructions: Instruction[] }[] = []
  for (const instruction of all.slice(first)) {
    const [from = '', , name] = instruction.words
    if (instruction.name === 'FROM') stages.push({ from, name, instructions: [] })
    else stages.at(-1)?.instructions.push(instruction)
  }
  const globals = all.slice(0, first).map(({ text: value }) => /^(\w+)=?(.*)$/.exec(value)?.slice(1) ?? [])
  return { title, arguments: Object.fromEntries(globals) as Record<string, string>, stages }
}

function readInstruction(line: string): Instruction {
  const [, name = '', text = ''] = /^\s*(\w+)\s*(.*)$/.exec(line) ?? []
  const list = /(\[.*\])\s*$/.exec(text)?.[1]
  const words = list === undefined ? text.split(/\s+/).filter(Boolean) : (JSON.parse(list) as string[])
  return { name: name.toUpperCase(), text, words, isList: list !== undefined }
}

/** What a COPY takes, and from where. */
export interface Copied {
  readonly sources: readonly string[]
  /** The stage; `undefined`: the context. */
  readonly from: string | undefined
}

/** Every COPY of a Dockerfile. */
export function copiesOf({ stages }: Dockerfile): readonly Copied[] {
  return stages.flatMap(({ instructions }) =>
    instructions
      .filter(({ name }) => name === 'COPY')
      .map(({ words }) => ({
        sources: words.filter((word) => !word.startsWith('--')).slice(0, -1),
        from: words.find((word) => word.startsWith('--from='))?.slice('--from='.length),
      })),
  )
}

/** What is wrong with one, one line each. */
export function lintDockerfile(source: string): readonly string[] {
  const file = parseDockerfile(source)
  const instructions = file.stages.flatMap((stage) => stage.instructions)
  return [...lintBase(file), ...instructions.flatMap(lintInstruction), ...lintImage(file), ...lintCopies(file)]
}

function lintBase({ arguments: globals, stages }: Dockerfile): string[] {
  const base = globals['BASE_IMAGE'] ?? ''
  // What else it is made of must be named in the same way.
  const given = Object.keys(globals).filter((name) => name.endsWith('_IMAGE'))
  const others = stages.map(({ from }) => from).filter((from) => !given.some((name) => from === `\${${name}}`))
  return [
    ...(/:\d+\.\d+[^:/]*$/.test(base) ? [] : [`BASE_IMAGE is "${base}", which is no exact version`]),
    ...others.map((from) => `FROM ${from}: another base can't be given with BASE_IMAGE`),
  ]
}

function lintInstruction({ name, text, words, isList }: Instruction): string[] {
  const problems: string[] = []
  const complain = (problem: string): number => problems.push(`${name} ${text.slice(0, 40)}: ${problem}`)
  if (name === 'ADD') complain('COPY takes what is there, ADD fetches and unpacks')
  if (name === 'VOLUME') complain('a new container gets a new volume, and forgets what is pending')
  if ((name === 'ARG' || name === 'ENV') && /PASSWORD|SECRET|TOKEN|CREDENTIAL|PRIVATE|_KEY\b/i.test(text)) {
    complain('the image keeps it for everybody who has the image')
  }
  if (name === 'USER' && !/^\d+:\d+$/.test(text)) complain('runAsNonRoot needs numbers')
  if (name === 'WORKDIR' && !text.startsWith('/')) complain('it depends on the base')
  if (['ENTRYPOINT', 'CMD', 'HEALTHCHECK'].includes(name) && !isList) complain('a shell would be in between')
  if (name !== 'RUN') return problems
  if (words.includes('apt-get') && words.includes('install')) {
    if (!text.includes('--no-install-recommends')) complain('--no-install-recommends is missing')
    if (!text.includes('rm -rf /var/lib/apt/lists/*')) complain('the lists of packages stay in the layer')
  }
  if (/\bapk add\b/.test(text) && !text.includes('--no-cache')) complain('--no-cache is missing')
  const reaches = text.replaceAll(/\bpip (install (--\S+ )*--no-index|uninstall) /g, '')
  if (/\b(npm|npx|yarn|pnpm|pip3?|wget|git) |\bcurl -/.test(reaches)) complain('only the distribution can be reached')
  return problems
}

function lintImage({ stages }: Dockerfile): string[] {
  const instructions = stages.at(-1)?.instructions ?? []
  const last = (name: string): Instruction | undefined => instructions.findLast((each) => each.name === name)
  // A shell that somebody works in has no health.
  const isShell = last('CMD')?.words[0] === '/bin/bash'
  const needed = [...(isShell ? [] : ['HEALTHCHECK']), 'USER', 'WORKDIR', 'ENTRYPOINT', 'CMD']
  const missing = needed.filter((name) => last(name) === undefined)
  const labels = ['title', 'description', 'licenses', 'version', 'revision']
    .map((name) => `org.opencontainers.image.${name}`)
    .filter((label) => !instructions.some(({ name, text }) => name === 'LABEL' && text.includes(`${label}="`)))
  const entry = last('ENTRYPOINT')?.words.join(' ') ?? ''
  return [
    ...missing.map((name) => `${name} is missing`),
    ...labels.map((label) => `LABEL ${label} is missing`),
    ...(/^\/(usr\/bin|sbin)\/tini -s --$/.test(entry) ? [] : [`ENTRYPOINT ${entry}: orphans are not reaped`]),
  ]
}

function lintCopies(file: Dockerfile): string[] {
  const stages = file.stages.map(({ name }) => name)
  return copiesOf(file).flatMap(({ from }) =>
    from === undefined || stages.includes(from) ? [] : [`COPY --from=${from}: there is no such stage`],
  )
}
