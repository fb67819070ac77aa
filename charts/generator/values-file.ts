import { stringify } from 'yaml'
import type { Value, Values } from './value.ts'

const width = 118

/** The chart's `values.yaml`: defaults, with what they mean above them. */
export function valuesFile(values: Values): string {
  const head = '# Generated from charts/generator by `npm run docs`. Checked by values.schema.json.\n'
  return (
    head +
    Object.entries(values)
      .map(([name, value]) => `\n${entry(name, value, '')}`)
      .join('')
  )
}

function entry(name: string, value: Value, indent: string): string {
  const about = wrap(value.description, width - indent.length - 2).map((line) => `${indent}# ${line}\n`)
  const body = value.fields
    ? `${indent}${name}:\n${Object.entries(value.fields)
        .map(([below, field]) => entry(below, field, `${indent}  `))
        .join('')}`
    : leaf(name, value, indent)
  return about.join('') + body
}

// An example stands below the default, or in its place.
function leaf(name: string, { default: initially, example }: Value, indent: string): string {
  const shown = example === undefined ? '' : indented(yamlOf(name, example), `${indent}# `)
  if (initially === undefined) return shown
  const text = stringify({ [name]: initially }, { singleQuote: true, lineWidth: 0 })
  return shown + indented(text, indent)
}

function yamlOf(name: string, example: string): string {
  if (!example.startsWith('\n')) return example.startsWith('- ') ? `${name}:\n  ${example}\n` : `${name}: ${example}\n`
  return `${name}:\n${indented(example.slice(1), '  ')}`
}

function indented(text: string, indent: string): string {
  return text.replaceAll(/^(?=.)/gm, indent)
}

function wrap(text: string, most: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > most) {
      lines.push(line)
      line = word
    } else line += line === '' ? word : ` ${word}`
  }
  return [...lines, line]
}
