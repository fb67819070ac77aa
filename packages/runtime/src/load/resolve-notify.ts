import {
  isHoldfastError,
  parseDuration,
  type Json,
  type Notifier,
  type NotifierFactory,
  type NotifierSettings,
  type SecretRef,
} from '@holdfast/sdk'
import { notifierInternalsOf, type NotifierInternals } from '@holdfast/sdk/internal'
import { errors } from '../errors.ts'
import { isSender, senders, worthTelling } from '../notify/senders.ts'
import { checkTemplates } from './check-templates.ts'
import type { ResolveContext } from './context.ts'
import { describeValue, typeOf } from './describe-export.ts'
import { suggest } from './did-you-mean.ts'
import { importModule, isPath, parseReference, pickExport } from './import-module.ts'
import { isPlainObject } from './plain-object.ts'
import { validateNotifier } from './notifier-options.ts'
import { formatPath, type Path } from './problems.ts'
import type { ResolvedNotifier } from './resolved.ts'

/** A notifier as it was written, and where. */
interface NotifierDraft {
  readonly kind: string
  readonly definition: NotifierInternals['definition']
  readonly options: unknown
  readonly settings: NotifierSettings
  readonly path: Path
  readonly optionsPath: Path
}

const settingNames = ['name', 'on', 'errorTexts', 'subject', 'text', 'timeout']

/**
 * Checks a list of notifiers and fills in their defaults.
 *
 * @param path - where it is written
 * @returns those that can be used; why others can't be is among the problems
 */
export async function resolveNotify(
  written: unknown,
  path: Path,
  context: ResolveContext,
): Promise<readonly ResolvedNotifier[]> {
  if (!Array.isArray(written)) return []
  const resolved = new Map<string, ResolvedNotifier>()
  for (const [index, item] of (written as readonly unknown[]).entries()) {
    const at = [...path, index]
    const draft = context.draft.form === 'yaml' ? await draftOf(item, at, context) : madeDraft(item, at, context)
    const notifier = draft && (await resolveNotifier(draft, context))
    if (notifier === undefined) continue
    if (resolved.has(notifier.name))
      context.problems.add(errors.NOTIFIER_DUPLICATE({ name: notifier.name }), { path: at })
    else resolved.set(notifier.name, notifier)
  }
  return [...resolved.values()]
}

async function resolveNotifier(
  draft: NotifierDraft,
  { problems }: ResolveContext,
): Promise<ResolvedNotifier | undefined> {
  const { kind, definition, settings, path, optionsPath } = draft
  const valid = await validateNotifier(draft, problems)
  if (!valid) return undefined
  const { errorTexts = false, timeout = '10s', name = kind, subject, text } = settings
  const templates = [
    { value: subject, path: [...path, 'subject'] },
    { value: text, path: [...path, 'text'] },
    ...(definition ? [] : templatesOf(kind, valid.config, optionsPath)),
  ]
  if (!checkTemplates(templates, { errorTexts }, problems)) return undefined
  const sender = isSender(kind) && !definition ? senders[kind] : undefined
  return {
    name,
    kind,
    on: new Set(settings.on ?? definition?.on ?? sender?.on ?? worthTelling),
    errorTexts,
    subject,
    text,
    timeoutMs: parseDuration(timeout),
    secrets: referencesIn(valid.config),
    config: valid.config,
    async send(notification, ctx) {
      if (definition) return definition.send(notification, ctx)
      return (await sender?.load())?.(notification, ctx)
    },
  }
}

function templatesOf(
  kind: string,
  config: unknown,
  path: Path,
): readonly { readonly value: unknown; readonly path: Path }[] {
  const key = { webhook: 'body', ping: 'path' }[kind]
  return key === undefined || !isPlainObject(config) ? [] : [{ value: config[key], path: [...path, key] }]
}

/** In TypeScript: what a factory made. */
function madeDraft(item: unknown, path: Path, { problems }: ResolveContext): NotifierDraft | undefined {
  const internals = typeOf(item) === 'holdfast.notifier/v1' ? notifierInternalsOf(item as Notifier) : undefined
  if (!internals || (!internals.definition && !isSender((item as Notifier).kind))) {
    const reason = isFactory(item)
      ? 'it is a notifier that has not been called with its options'
      : `it is ${describeValue(item)}`
    problems.add(errors.NOTIFIER_INVALID({ what: formatPath(path), reason }), { path })
    return undefined
  }
  return { kind: (item as Notifier).kind, ...internals, definition: internals.definition, path, optionsPath: path }
}

/** In YAML: one of ours, or `module#export`, with its options; settings beside it. */
async function draftOf(item: unknown, path: Path, context: ResolveContext): Promise<NotifierDraft | undefined> {
  const { problems } = context
  const entries = Object.entries(typeof item === 'string' ? { [item]: {} } : isPlainObject(item) ? item : {})
  const [what, ...others] = entries.filter(([key]) => isSender(key) || isReference(key))
  const odd = entries.find(([key]) => !isSender(key) && !isReference(key) && !settingNames.includes(key))
  if (odd) {
    const known = [...Object.keys(senders), ...settingNames]
    const params = {
      key: odd[0],
      parent: formatPath(path),
      suggestion: suggest(odd[0], known),
      known: known.join(', '),
    }
    problems.add(errors.CONFIG_UNKNOWN_KEY(params), { path: [...path, odd[0]], part: 'key' })
    return undefined
  }
  if (!what || others.length > 0) {
    const reason = `must be one of ${Object.keys(senders).join(', ')}, or module#export, with its options`
    problems.add(errors.CONFIG_VALUE({ path: formatPath(path), reason }), { path })
    return undefined
  }
  const [key, options] = what
  const optionsPath = typeof item === 'string' ? path : [...path, key]
  const settings = Object.fromEntries(entries.filter(([name]) => settingNames.includes(name))) as NotifierSettings
  const draft = { kind: key, definition: undefined, options: options ?? {}, settings, path, optionsPath }
  if (isSender(key)) return draft
  const made = await importFactory(key, optionsPath, context)
  return (
    made && { ...draft, kind: made.definition.name, definition: made.definition as NotifierInternals['definition'] }
  )
}

function isReference(text: string): boolean {
  return text.includes('#') || isPath(text)
}

async function importFactory(
  text: string,
  path: Path,
  context: ResolveContext,
): Promise<NotifierFactory<unknown> | undefined> {
  const { problems } = context
  const reference = parseReference(text)
  const imported = await importModule(reference.module, context)
  if ('error' in imported) {
    problems.add(imported.error, { path, part: 'key', position: imported.position })
    return undefined
  }
  try {
    const value = pickExport(imported, reference.export ?? 'default')
    if (isFactory(value)) return value
    problems.add(errors.NOTIFIER_INVALID({ what: text, reason: `it is ${describeValue(value)}` }), {
      path,
      part: 'key',
    })
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    problems.add(error, { path, part: 'key' })
  }
  return undefined
}

function isFactory(value: unknown): value is NotifierFactory<unknown> {
  const { definition } = Object(value) as { readonly definition?: unknown }
  return (
    typeof value === 'function' &&
    isPlainObject(definition) &&
    typeof definition['name'] === 'string' &&
    typeof definition['send'] === 'function'
  )
}

/** Every reference to a secret, however deep it is. */
function referencesIn(config: unknown): readonly SecretRef[] {
  if (typeof config !== 'object' || config === null) return []
  const entries = Object.entries(config as Readonly<Record<string, Json>>)
  const [[key, value] = []] = entries
  if (entries.length === 1 && (key === 'env' || key === 'file') && typeof value === 'string') {
    return [config as SecretRef]
  }
  return entries.flatMap(([, below]) => referencesIn(below))
}
