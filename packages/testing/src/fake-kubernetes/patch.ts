import { StatusError, badRequest } from './status.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/**
 * Applies a PATCH of any of the four kinds. Strategic merge knows lists of named items (containers, conditions, owner
 * references) by their usual keys, not each kind's own schema; server-side apply is a merge without owners of fields.
 *
 * @throws StatusError 415 for another content type, 400 or 422 for a patch that can't be applied
 */
export function applyPatch(object: unknown, patch: unknown, contentType: string): unknown {
  const [type = ''] = contentType.split(';')
  switch (type.trim()) {
    case 'application/merge-patch+json':
      return mergePatch(object as Json, patch as Json)
    case 'application/strategic-merge-patch+json':
    case 'application/apply-patch+yaml':
      return strategicPatch(object as Json, patch as Json)
    case 'application/json-patch+json':
      return jsonPatch(object as Json, patch)
    default: {
      throw new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})
    }
  }
}

/** RFC 7386. */
export function mergePatch(target: Json, patch: Json): Json {
  if (!isMap(patch)) return patch
  const result = { ...(isMap(target) ? target : {}) }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = mergePatch(result[key] ?? null, value)
  }
  return result
}

const keys = ['name', 'uid', 'type', 'key', 'containerPort', 'mountPath', 'ip']

function strategicPatch(target: Json, patch: Json): Json {
  if (Array.isArray(patch)) return mergeLists(Array.isArray(target) ? target : [], patch)
  if (!isMap(patch)) return patch
  if (patch['$patch'] === 'replace') {
    return Object.fromEntries(Object.entries(patch).filter(([key]) => key !== '$patch'))
  }
  const result = { ...(isMap(target) ? target : {}) }
  for (const [key, value] of Object.entries(patch)) {
    const removed = /^\$deleteFromPrimitiveList\/(.*)$/.exec(key)?.[1]
    if (removed !== undefined) {
      const list = result[removed]
      if (Array.isArray(list) && Array.isArray(value)) result[removed] = list.filter((each) => !value.includes(each))
    } else if (key.startsWith('$')) continue
    else if (value === null) delete result[key]
    else result[key] = strategicPatch(result[key] ?? null, value)
  }
  return result
}

function mergeLists(target: Json[], patch: Json[]): Json[] {
  const maps = patch.filter(isMap)
  const key = keys.find((each) => maps.length > 0 && maps.every((map) => each in map))
  // Without a key to tell items apart, lists of maps are replaced and lists of plain values united.
  if (maps.length > 0 && key === undefined) return patch
  if (key === undefined) return [...target, ...patch.filter((each) => !target.includes(each))]
  const result = [...target]
  for (const item of maps) {
    const at = result.findIndex((each) => isMap(each) && each[key] === item[key])
    if (item['$patch'] === 'delete') {
      if (at >= 0) result.splice(at, 1)
    } else if (at >= 0) result[at] = strategicPatch(result[at] ?? null, item)
    else result.push(item)
  }
  return result
}

interface Operation {
  readonly op: string
  readonly path: string
  readonly from?: string
  readonly value?: Json
}

/** RFC 6902. */
function jsonPatch(object: Json, patch: unknown): Json {
  if (!Array.isArray(patch)) {
    throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp')
  }
  let result = structuredClone(object)
  for (const { op, path, from, value } of patch as readonly Operation[]) {
    switch (op) {
      case 'add':
      case 'replace':
        if (op === 'replace') read(result, path)
        result = write(result, path, value ?? null, op === 'add')
        break
      case 'remove':
        result = remove(result, path)
        break
      case 'copy':
      case 'move': {
        const moved = read(result, from ?? '')
        if (op === 'move') result = remove(result, from ?? '')
        result = write(result, path, structuredClone(moved), true)
        break
      }
      case 'test':
        if (JSON.stringify(read(result, path)) !== JSON.stringify(value)) throw unprocessable()
        break
      default:
        throw unprocessable()
    }
  }
  return result
}

function read(object: Json, path: string): Json {
  let value: Json | undefined = object
  for (const step of stepsOf(path))
    value = Array.isArray(value) ? value[Number(step)] : isMap(value) ? value[step] : undefined
  if (value === undefined) throw unprocessable()
  return value
}

function write(object: Json, path: string, value: Json, inserts: boolean): Json {
  const { parent, last } = parentOf(object, path)
  if (parent === undefined) return value
  if (!Array.isArray(parent)) parent[last] = value
  else if (last === '-') parent.push(value)
  else parent.splice(Number(last), inserts ? 0 : 1, value)
  return object
}

function remove(object: Json, path: string): Json {
  read(object, path)
  const { parent, last } = parentOf(object, path)
  if (Array.isArray(parent)) parent.splice(Number(last), 1)
  else if (parent) delete parent[last]
  return object
}

function parentOf(object: Json, path: string): { parent: Json[] | { [key: string]: Json } | undefined; last: string } {
  const steps = stepsOf(path)
  const last = steps.at(-1)
  if (last === undefined) return { parent: undefined, last: '' }
  const parent = read(object, path.slice(0, path.lastIndexOf('/')))
  if (!isMap(parent) && !Array.isArray(parent)) throw unprocessable()
  return { parent, last }
}

function stepsOf(path: string): readonly string[] {
  return path
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** A real server doesn't say what it was. */
function unprocessable(): StatusError {
  return new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
}

function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
