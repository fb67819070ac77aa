import type { KubernetesObject } from '@holdfast/sdk'
import { isPrintable } from './yaml.ts'

/** A file that a ConfigMap carries. */
export interface ConfigMapFile {
  /** Its key, too. */
  readonly name: string
  readonly bytes: Uint8Array
}

/** What the API server allows a ConfigMap to hold, in bytes. */
export const configMapLimit = 1024 * 1024

/** Whether a file's name can be a key. */
export function isConfigMapKey(name: string): boolean {
  return /^[-._a-zA-Z0-9]{1,253}$/.test(name) && !name.startsWith('..') && name !== '.'
}

/** Names and labels of an object. */
export interface ConfigMapOptions {
  readonly name: string
  readonly namespace?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly files: readonly ConfigMapFile[]
}

/** A ConfigMap from which files come back byte by byte. */
export function configMapOf({ name, namespace, labels, files }: ConfigMapOptions): KubernetesObject {
  const texts = files.flatMap(({ name: key, bytes }) => {
    const text = textOf(bytes)
    return text === undefined ? [] : [[key, text] as const]
  })
  const binaries = files.filter(({ bytes }) => isBinary(bytes))
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, ...(namespace !== undefined && { namespace }), ...(labels && { labels }) },
    ...(texts.length > 0 && { data: Object.fromEntries(texts) }),
    ...(binaries.length > 0 && {
      binaryData: Object.fromEntries(
        binaries.map(({ name: key, bytes }) => [key, Buffer.from(bytes).toString('base64')]),
      ),
    }),
  }
}

/** Whether a file can't be written as text without changing it. */
export function isBinary(bytes: Uint8Array): boolean {
  return textOf(bytes) === undefined
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return isPrintable(text) ? text : undefined
  } catch {
    return undefined
  }
}
