import { BenjiFailure, type FakeVersion } from './fake-versions.ts'

type Value = string | number | boolean | null | undefined
type Test = (version: FakeVersion) => boolean

const identifiers: Readonly<Record<string, (version: FakeVersion, at: number) => Value>> = {
  uid: ({ uid }) => uid,
  date: ({ date }) => date.getTime(),
  volume: ({ volume }) => volume,
  snapshot: ({ snapshot }) => snapshot,
  size: ({ size }) => size,
  block_size: ({ blockSize }) => blockSize,
  status: ({ status }) => status,
  protected: (version) => version.protected,
  bytes_read: ({ stats }) => stats?.bytes_read,
  bytes_written: ({ stats }) => stats?.bytes_written,
  bytes_deduplicated: ({ stats }) => stats?.bytes_deduplicated,
  bytes_sparse: ({ stats }) => stats?.bytes_sparse,
  duration: ({ stats }) => stats?.duration,
}

const token =
  /\s*(?:(labels)\s*\[\s*("[^"]*"|'[^']*')\s*\]|("[^"]*"|'[^']*')|([+-]?\d+)|([a-z_]+|True|False)|(==|!=|<=|>=|<|>|\(|\)))/y

/**
 * Benji's filter expressions, as far as they are used.
 *
 * @throws BenjiFailure 64 for what is no expression, 70 for a status or date that is none
 */
export function compileFilter(expression: string, now: Date): Test {
  if (expression === '') return () => true
  const wrong = (): BenjiFailure => new BenjiFailure(64, `UsageError: Invalid filter expression ${expression}.`)
  const tokens: RegExpExecArray[] = []
  for (token.lastIndex = 0; token.lastIndex < expression.trimEnd().length;) {
    const match = token.exec(expression)
    if (!match) throw wrong()
    tokens.push(match)
  }
  const next = (): string | undefined => tokens[0]?.[0].trim()
  const take = (...words: string[]): string | undefined => {
    const word = next()
    return word !== undefined && words.includes(word) ? (tokens.shift(), word) : undefined
  }

  const or = (): Test => {
    const left = and()
    if (take('or') === undefined) return left
    const right = or()
    return (version) => left(version) || right(version)
  }
  const and = (): Test => {
    const left = not()
    if (take('and') === undefined) return left
    const right = and()
    return (version) => left(version) && right(version)
  }
  const not = (): Test => {
    if (take('not') === undefined) return comparison()
    const operand = not()
    return (version) => !operand(version)
  }
  const comparison = (): Test => {
    if (take('(') !== undefined) {
      const inner = or()
      if (take(')') === undefined) throw wrong()
      return inner
    }
    const [, labels, label, , , identifier] = tokens.shift() ?? []
    const operator = take('==', '!=', '<', '>', '<=', '>=', 'like')
    if (labels !== undefined && label !== undefined) return onLabel(label.slice(1, -1), operator)
    const read = identifier === undefined ? undefined : identifiers[identifier]
    if (!read || identifier === undefined) throw wrong()
    // A bare identifier means that it isn't empty.
    if (operator === undefined) return (version) => read(version, 0) !== ''
    const value = literal(identifier)
    return (version) => compare(read(version, 0), operator, value)
  }
  const onLabel = (name: string, operator: string | undefined): Test => {
    if (operator === undefined) return ({ labels }) => labels.has(name)
    if (operator !== '==' && operator !== '!=') throw wrong()
    const value = literal('labels')
    return ({ labels }) => labels.has(name) && compare(labels.get(name), operator, value)
  }
  const literal = (identifier: string): Value => {
    const [, , , text, number, word] = tokens.shift() ?? []
    if (text !== undefined) return meant(identifier, text.slice(1, -1), now)
    if (number !== undefined) return Number(number)
    if (word === 'True' || word === 'False') return word === 'True'
    throw wrong()
  }

  const test = or()
  if (tokens.length > 0) throw wrong()
  return test
}

function meant(identifier: string, text: string, now: Date): Value {
  if (identifier === 'status' && !['incomplete', 'valid', 'invalid'].includes(text)) {
    throw new BenjiFailure(70, `StatementError: (builtins.KeyError) '${text}'\n[SQL: SELECT …]`)
  }
  if (identifier !== 'date') return text
  const ago = /^(\d+) (second|minute|hour|day|week)s? ago$/.exec(text)
  const units = { second: 1e3, minute: 6e4, hour: 36e5, day: 864e5, week: 6048e5 }
  const at = ago
    ? now.getTime() - Number(ago[1]) * units[ago[2] as keyof typeof units]
    : Date.parse(text.endsWith('Z') ? text : `${text}Z`)
  if (Number.isNaN(at)) throw new BenjiFailure(70, `StatementError: (builtins.ValueError) ${text}`)
  return at
}

function compare(left: Value, operator: string, right: Value): boolean {
  if (operator === '==') return left === right
  if (left === undefined || left === null || right === undefined || right === null) return false
  if (operator === '!=') return left !== right
  if (operator === 'like') {
    const pattern = String(right)
      .split('%')
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join('.*')
    return new RegExp(`^${pattern}$`, 'i').test(String(left))
  }
  if (operator === '<') return left < right
  if (operator === '>') return left > right
  return operator === '<=' ? left <= right : left >= right
}
