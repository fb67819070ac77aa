import { parseAllDocuments } from 'yaml'
import { findManifestProblems, findProblems } from '../kubernetes-models.ts'
import { findSchemaProblems, type Schema } from './schema-check.ts'

/** The schemas that blocks are held against. */
export interface YamlSchemas {
  /** Of `holdfast.yaml`, with the options of what comes along. */
  readonly config: Schema
  /** Of the chart's values. */
  readonly values: Schema
}

/** A block of a page, and the comment before it, if there is one: `<!-- yaml: V1PodSpec -->`. */
interface Block {
  readonly said: string | undefined
  readonly text: string
}

/**
 * What is wrong with the YAML of a page, a line each. A block is a configuration, values of the chart, a Kubernetes
 * object, or a part of one; what it is, is seen from its first line and its keys, or said by a comment before it.
 */
export function findYamlProblems(page: string, text: string, schemas: YamlSchemas): readonly string[] {
  return blocksOf(text).flatMap((block, index) =>
    problemsOf(block, schemas).map((problem) => `${page}, YAML block ${index + 1}: ${problem}`),
  )
}

function blocksOf(text: string): readonly Block[] {
  const found = text.matchAll(/(?:^ *<!-- yaml: ([\w-]+) -->\n+)?^( *)```ya?ml\n(.*?)^\2```/gms)
  return [...found].map(([, said, indent = '', content = '']) => ({
    said,
    text: content.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }))
}

function problemsOf({ said, text }: Block, { config, values }: YamlSchemas): readonly string[] {
  // The chart's helper templates, as they are called from another chart: Helm's tests render them.
  if (said === 'template') return []
  const documents = parseAllDocuments(text)
  const errors = documents.flatMap((document) => document.errors.map(({ message }) => message))
  if (errors.length > 0) return errors
  return documents.flatMap((document) => {
    const value: unknown = document.toJS()
    if (!isObject(value)) return ['it is no object']
    const kind = said ?? kindOf(text, value)
    switch (kind) {
      case 'values':
        return findSchemaProblems(values, value)
      case 'config':
        // A part of a configuration stands for the whole.
        return findSchemaProblems(config, 'plans' in value ? value : { plans: {}, ...value })
      case 'manifest':
        return findManifestProblems(value)
      case 'kustomization':
        return Object.keys(value).flatMap((key) =>
          ['resources', 'components'].includes(key) ? [] : [`${key} is unknown`],
        )
      case 'benji':
        // Benji reads it, and its own schema is not ours to know: that it is YAML is what can be said.
        return []
      case undefined:
        return ['say what it is: <!-- yaml: config, values, benji, V1PodSpec, … -->']
      default:
        return kind.startsWith('V1') ? partProblems(kind, value) : optionProblems(kind, value, config)
    }
  })
}

function kindOf(text: string, value: Readonly<Record<string, unknown>>): string | undefined {
  const [first = ''] = text.split('\n')
  const keys = Object.keys(value)
  if (first.startsWith('# values.yaml')) return 'values'
  if (first.startsWith('# kustomization.yaml')) return 'kustomization'
  if ('apiVersion' in value && 'kind' in value) return 'manifest'
  const own = [
    'storage',
    'encoding',
    'copies',
    'plans',
    'drills',
    'instance',
    'metrics',
    'replicas',
    'notify',
    'undoMirror',
  ]
  if (keys.every((key) => own.includes(key))) return 'config'
  return undefined
}

/** Options of a plugin that comes along, by the name of its export. */
function optionProblems(name: string, value: unknown, config: Schema): readonly string[] {
  const { module } = config['definitions'] as { readonly module: { readonly anyOf: readonly Schema[] } }
  const plugins = module.anyOf.flatMap(({ properties = {} }) => Object.entries(properties as Schema))
  const [, schema] = plugins.find(([key]) => key.endsWith(`#${name}`)) ?? []
  return schema === undefined ? [`there is no plugin ${name}`] : findSchemaProblems(schema as Schema, value)
}

/** A part of an object: only the fields that it has are looked at. */
function partProblems(model: string, value: unknown): readonly string[] {
  return findProblems(model, value).filter((problem) => !/^[^.[]+ is missing$/.test(problem))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
