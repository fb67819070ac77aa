import type { Labels } from '../series.ts'

/** What one push is about: a plan, or a drill. */
export type PushSubject = { readonly plan: string } | { readonly drill: string }

/** Where the pushes of an installation go. */
export interface PushOwner {
  /** The installation's name. */
  readonly instance: string
  /** Of our pod: installations in two namespaces may have one name. */
  readonly namespace: string | undefined
}

/**
 * The path of a subject's group below the Pushgateway's address. It has nothing of the run, because a group is never
 * forgotten by itself. The label is not `instance`, which metrics of plugins may have.
 */
export function groupPath({ instance, namespace }: PushOwner, subject: PushSubject): string {
  const pairs = Object.entries({
    job: 'holdfast',
    ...(namespace !== undefined && { namespace }),
    holdfast_instance: instance,
    ...subject,
  })
  return `/metrics/${pairs.map(([label, value]) => segment(label, value)).join('/')}`
}

/** Whether a series is pushed with a subject: its own, and those of nobody. */
export function isOfSubject(subject: PushSubject): (labels: Labels) => boolean {
  const [[own, name] = ['', '']] = Object.entries(subject)
  return (labels) =>
    labels[own] === name || (labels['plan'] === undefined && labels['drill'] === undefined && own !== '')
}

/** What can't be one part of a path, because it is empty, has a slash or is a path's own word, goes in base64. */
function segment(label: string, value: string): string {
  if (value === '') return `${label}@base64/=`
  if (value.includes('/') || /^\.{1,2}$/.test(value)) {
    return `${label}@base64/${Buffer.from(value).toString('base64url')}`
  }
  return `${label}/${encodeURIComponent(value)}`
}
