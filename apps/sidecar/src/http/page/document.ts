import { createHash } from 'node:crypto'
import type { Page } from '../pages.ts'
import { html, type Content, type Html } from './html.ts'
import { script } from './script.ts'
import { style } from './style.ts'

/** A page without its frame. */
export interface Sheet {
  readonly title: string
  /** Which of the pages in the navigation it is. */
  readonly path?: string | undefined
  readonly content: Content
}

/** What every page says of its daemon. */
export interface Frame {
  readonly version: string
  readonly instance: string
  /** Where it runs: of a pod, its name. */
  readonly host: string
}

const links = [
  ['/', 'Overview'],
  ['/plans', 'Plans'],
  ['/runs', 'Runs'],
  ['/targets', 'Targets'],
  ['/restore-points', 'Restore points'],
] as const

/** Not in the templates: a blank more, and the policy would forbid them. */
const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Nothing is loaded from anywhere, nothing is sent anywhere, and no other page may show this one. */
const policy = [
  "default-src 'none'",
  `style-src ${hashOf(style)}`,
  `script-src ${hashOf(script)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const headers = {
  'content-security-policy': policy,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
}

/** A page as it is sent. */
export function documentOf({ title, path, content }: Sheet, { version, instance, host }: Frame, status = 200): Page {
  const heading = `${title} – Holdfast ${instance}`
  const { html: body } = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${heading}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <link rel="icon" href="data:," />
        ${raw(`<style>${style}</style>`)}
      </head>
      <body>
        <a class="skip" href="#main">To the content</a>
        <header>
          <a class="name" href="/">Holdfast</a>
          <nav aria-label="Pages">
            <ul>
              ${links.map(
                ([href, text]) =>
                  html`<li><a href="${href}" ${href === path && raw(' aria-current="page"')}>${text}</a></li>`,
              )}
            </ul>
          </nav>
          <div class="update">
            <span class="unseen" id="said" role="status"></span><span class="quiet" id="refreshed" role="status"></span
            ><button type="button" id="refresh" hidden>Stop refreshing</button>
          </div>
        </header>
        <main id="main" tabindex="-1">${content}</main>
        <footer>
          <p>
            Holdfast ${version}, instance <bdi>${instance}</bdi>, on <bdi>${host}</bdi>. Times are in UTC. The same as
            JSON: <a href="/api/v1">/api/v1</a>.
          </p>
        </footer>
        ${raw(`<script>${script}</script>`)}
      </body>
    </html> `
  return { status, type: 'text/html; charset=utf-8', body, headers }
}

function raw(text: string): Html {
  return { html: text }
}
