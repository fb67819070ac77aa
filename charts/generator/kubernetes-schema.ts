import { describeModel, fieldsOf, isQuantity } from '../../scripts/kubernetes-models.ts'
import { monitoringModels } from '../../scripts/monitoring-models.ts'
import { listOf, mapOf, objectOf, type JsonSchema } from './value.ts'

/** The definitions of the models that schemas refer to, and of those that these refer to. */
export function kubernetesDefinitions(schemas: unknown): Readonly<Record<string, JsonSchema>> {
  const definitions: Record<string, JsonSchema> = {}
  const pending = referencesIn(schemas)
  for (let model = pending.pop(); model !== undefined; model = pending.pop()) {
    if (model in definitions || fieldsOf(model) === undefined) continue
    const definition = definitionOf(model)
    definitions[model] = definition
    pending.push(...referencesIn(definition))
  }
  return Object.fromEntries(Object.entries(definitions).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function referencesIn(schema: unknown): string[] {
  return [...JSON.stringify(schema).matchAll(/"#\/definitions\/(\w+)"/g)].map(([, model = '']) => model)
}

function definitionOf(model: string): JsonSchema {
  const fields = fieldsOf(model) ?? []
  const isOurs = model in monitoringModels
  const properties = fields.map(({ name, type, format }) => {
    const description = isOurs ? '' : firstSentence(describeModel(model, name))
    const schema = schemaOf(type, format, name)
    // Beside a reference, nothing else counts in draft-07.
    const described = '$ref' in schema && description !== '' ? { allOf: [schema] } : schema
    return [name, { ...(description !== '' && { description }), ...described }] as const
  })
  const required = fields.filter((field) => field.required).map(({ name }) => name)
  return objectOf(Object.fromEntries(properties), required)
}

function schemaOf(type: string, format: string, field: string): JsonSchema {
  const item = /^Array<(.+)>$/.exec(type)?.[1]
  if (item !== undefined) return listOf(schemaOf(item, format, field))
  const entry = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1]
  if (entry !== undefined) return mapOf(schemaOf(entry, format, field))
  switch (type) {
    case 'any':
      return {}
    case 'string':
      return { type: isQuantity(field) ? ['string', 'number'] : 'string' }
    case 'boolean':
      return { type: 'boolean' }
    case 'number':
      return { type: format.startsWith('int') ? 'integer' : 'number' }
    case 'IntOrString':
      return { type: ['integer', 'string'] }
    case 'Date':
    case 'V1MicroTime':
      return { type: 'string' }
    default:
      return { $ref: `#/definitions/${type}` }
  }
}

function firstSentence(description: string): string {
  return /^.*?\.(?=\s|$)/.exec(description)?.[0] ?? description
}
