import { configDefinitions } from './config-schema.ts'
import { kubernetesDefinitions } from './kubernetes-schema.ts'
import { objectOf, type JsonSchema, type Value, type Values } from './value.ts'

/** What Helm itself, or a chart that depends on this one, puts among the values. */
const fromOutside = {
  global: { description: 'Of the chart that this one is a dependency of; nothing of it is read.', type: 'object' },
  enabled: { description: 'For the condition of a chart that has this one as a dependency.', type: 'boolean' },
}

/** The chart's `values.schema.json`. */
export async function valuesSchema(values: Values): Promise<JsonSchema> {
  const own = schemaOfAll(values)
  const { type, properties, ...rest } = own
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: "Values of Holdfast's chart",
    description: 'Generated from charts/generator and from the schema of holdfast.yaml by `npm run docs`.',
    type,
    properties: { ...(properties as object), ...fromOutside },
    ...rest,
    definitions: { ...(await configDefinitions()), ...kubernetesDefinitions(own) },
  }
}

function schemaOfAll(values: Values): JsonSchema {
  return objectOf(Object.fromEntries(Object.entries(values).map(([name, value]) => [name, schemaOf(value)])))
}

function schemaOf({ description, schema, fields }: Value): JsonSchema {
  if (fields) return { description, ...schemaOfAll(fields) }
  // Beside a reference, nothing else counts in draft-07.
  return { description, ...(schema && '$ref' in schema ? { allOf: [schema] } : schema) }
}
