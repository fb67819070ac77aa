import { readFields, type FieldValue } from './bson-fields.ts'
import { ArchiveProblem } from './parser.ts'

/** The fields of a header of an archive. */
export type Header = ReadonlyMap<string, FieldValue>

/** @throws ArchiveProblem */
export function readHeader(document: Uint8Array): Header {
  try {
    return readFields(document)
  } catch (error) {
    throw new ArchiveProblem(`has a header that can't be read: ${(error as Error).message}`, { cause: error })
  }
}

/** A field that should be text; empty, if it isn't. */
export function textOf(header: Header, name: string): string {
  const value = header.get(name)
  return typeof value === 'string' ? value : ''
}
