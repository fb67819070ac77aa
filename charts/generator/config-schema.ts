import {
  benjiBackup,
  benjiCleanup,
  benjiEnforce,
  benjiScrub,
  benjiVersionsStatus,
} from '../../packages/plugin-benji/src/index.ts'
import { mongodump } from '../../packages/plugin-mongodump/src/index.ts'
import { scripts } from '../../packages/plugin-scripts/src/index.ts'
import { configJsonSchema } from '../../packages/runtime/src/index.ts'
import type { JsonSchema } from './value.ts'

/** Those that the image has, as a configuration names them. */
export const imagePlugins = {
  '@holdfast/plugin-scripts#scripts': scripts,
  '@holdfast/plugin-benji#benjiBackup': benjiBackup,
  '@holdfast/plugin-benji#benjiCleanup': benjiCleanup,
  '@holdfast/plugin-benji#benjiEnforce': benjiEnforce,
  '@holdfast/plugin-benji#benjiScrub': benjiScrub,
  '@holdfast/plugin-benji#benjiVersionsStatus': benjiVersionsStatus,
  '@holdfast/plugin-mongodump#mongodump': mongodump,
}

/** The definitions that the configuration's schema consists of; `configuration` is the whole. */
export async function configDefinitions(): Promise<Readonly<Record<string, JsonSchema>>> {
  const { definitions, ...schema } = await configJsonSchema(imagePlugins)
  const properties = schema['properties'] as Readonly<Record<string, JsonSchema>>
  const undoMirror = { ...properties['undoMirror'] }
  delete undoMirror['type']
  // Helm reads YAML 1.1, in which `on` and `off` are true and false. The template turns them back.
  undoMirror['enum'] = ['on', 'off', true, false]
  const { title, type, required, additionalProperties } = schema
  const configuration = { title, type, properties: { ...properties, undoMirror }, required, additionalProperties }
  return {
    configuration: decide(configuration) as JsonSchema,
    ...(decide(definitions) as Readonly<Record<string, JsonSchema>>),
  }
}

/**
 * Turns "one of these" into "if it is a list, this, else that" where types decide: a validator then says what is wrong
 * with a plan, and not what is wrong with it seen as each of the others.
 */
function decide(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(decide)
  if (typeof schema !== 'object' || schema === null) return schema
  const { anyOf, ...rest } = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, decide(value)]))
  if (!Array.isArray(anyOf)) return rest
  const variants = anyOf as readonly JsonSchema[]
  const types = variants.map(({ type }) => type)
  if (types.includes(undefined) || new Set(types).size < types.length) return { ...rest, anyOf }
  // oxlint-disable-next-line unicorn/no-thenable -- it is a keyword of JSON Schema
  const conditions = variants.map((variant) => ({ if: { type: variant['type'] }, then: variant }))
  return { ...rest, type: types, allOf: conditions }
}
