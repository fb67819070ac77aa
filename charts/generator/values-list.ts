import type { Value, Values } from './value.ts'

/** The values as lists in Markdown, one per group. */
export function valuesList(values: Values): string {
  return lines(values, '', '').join('\n')
}

function lines(values: Values, prefix: string, indent: string): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const path = `${prefix}${name}`
    const line = `${indent}- **\`${path}\`**${initialText(value)}: ${uncapitalised(value.description)}`
    return value.fields ? [line, ...lines(value.fields, `${path}.`, `${indent}  `)] : [line]
  })
}

function initialText({ default: initially }: Value): string {
  if (initially === undefined || initially === '' || isEmpty(initially)) return ''
  return ` (\`${typeof initially === 'string' ? initially : JSON.stringify(initially)}\`)`
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function uncapitalised(text: string): string {
  return /^[A-Z][a-z]* /.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text
}
