/** A group of the navigation: pages by their paths in the site, without `.md`. */
export interface Group {
  readonly text: string
  readonly pages: readonly (readonly [path: string, text: string])[]
}

/** The navigation, in the order in which somebody new reads. */
export const groups: readonly Group[] = [
  {
    text: 'Start in five minutes',
    pages: [
      ['start/scripts', 'Shell scripts'],
      ['start/typescript', 'TypeScript'],
      ['start/benji', 'Ceph volumes with Benji'],
      ['start/mongodb', 'MongoDB'],
    ],
  },
  {
    text: 'Concepts',
    pages: [
      ['concepts/run', 'A run'],
      ['concepts/artifacts', 'Artifacts'],
      ['concepts/undo', 'Undo'],
      ['concepts/cluster', 'In a cluster'],
      ['architecture', 'Architecture'],
      ['comparison', 'Comparison'],
    ],
  },
  {
    text: 'When something is lost',
    pages: [
      ['restore-at-3am', 'Restore at 3 a.m.'],
      ['restore-with-the-cluster-gone', 'With the cluster gone'],
      ['restore', 'Restoring, all of it'],
      ['restore-without-holdfast', 'Without Holdfast'],
    ],
  },
  {
    text: 'Set up',
    pages: [
      ['kubernetes', 'In Kubernetes'],
      ['charts/holdfast/', 'Helm chart'],
      ['generate', 'Manifests'],
      ['images', 'Images'],
      ['storage', 'The store'],
      ['s3', 'Buckets'],
      ['recipes', 'Databases and files'],
      ['mongodb', 'MongoDB'],
      ['benji', 'Ceph volumes'],
      ['security', 'Security'],
      ['sizing', 'Sizing'],
    ],
  },
  {
    text: 'Watch',
    pages: [
      ['drills', 'Drills'],
      ['status-page', 'Status page'],
      ['notifications', 'Notifications'],
      ['metrics', 'Metrics'],
      ['alerts', 'Alerts'],
      ['runbooks', 'Runbooks'],
    ],
  },
  {
    text: 'Write',
    pages: [
      ['hooks', 'A hook'],
      ['write-a-plugin', 'A plugin'],
      ['test-a-plugin', 'Test a plugin'],
      ['publish-a-plugin', 'Publish a plugin'],
      ['stability', 'Stability'],
    ],
  },
  {
    text: 'Move',
    pages: [
      ['migrate-from-sidefridge', 'From sidefridge'],
      ['migrate-from-benji-k8s', "From Benji's tools"],
      ['benji-faults', "Faults of Benji's tools"],
    ],
  },
  {
    text: 'Reference',
    pages: [
      ['reference/configuration', 'Configuration'],
      ['reference/command-line', 'Command line'],
      ['lifecycle', 'Hooks of a run'],
      ['errors', 'Errors'],
      ['reference/permissions', 'Permissions'],
      ['reference/metrics', 'Metrics, by name'],
      ['api', 'HTTP API'],
      ['reference/api/', 'Packages, by export'],
    ],
  },
  {
    text: 'Packages',
    pages: [
      ['apps/sidecar/', 'sidecar'],
      ['packages/sdk/', 'sdk'],
      ['packages/testing/', 'testing'],
      ['packages/runtime/', 'runtime'],
      ['packages/plugin-scripts/', 'plugin-scripts'],
      ['packages/plugin-benji/', 'plugin-benji'],
      ['packages/plugin-mongodump/', 'plugin-mongodump'],
      ['packages/storage-s3/', 'storage-s3'],
      ['packages/create-holdfast-plugin/', 'create-holdfast-plugin'],
      ['bench/', 'Benchmarks'],
      ['contributing', 'Contributing'],
      ['security-policy', 'Report a vulnerability'],
      ['about', 'README'],
    ],
  },
]

/** An entry of the navigation, as VitePress takes it. */
export interface SidebarItem {
  readonly text: string
  readonly link?: string
  readonly collapsed?: boolean
  readonly items?: readonly SidebarItem[]
}

/**
 * The navigation of a site that has these pages.
 *
 * @param titles - path in the site → title
 */
export function sidebarOf(titles: ReadonlyMap<string, string>): readonly SidebarItem[] {
  const has = (path: string): boolean => titles.has(`${path.replace(/\/$/, '/index')}.md`)
  const named = groups.map(({ text, pages }) => ({
    text,
    collapsed: text === 'Packages',
    items: pages.filter(([path]) => has(path)).map(([path, each]) => ({ text: each, link: `/${path}` })),
  }))
  return [...named, folder(titles, 'runbooks', 'Runbooks'), folder(titles, 'adr', 'Decisions')].filter(
    ({ items }) => items.length > 0,
  )
}

/** All pages of a folder, by their titles. */
function folder(
  titles: ReadonlyMap<string, string>,
  name: string,
  text: string,
): { readonly text: string; readonly collapsed: boolean; readonly items: readonly SidebarItem[] } {
  const pages = [...titles].filter(([path]) => path.startsWith(`${name}/`)).toSorted(([a], [b]) => byIndexFirst(a, b))
  return {
    text,
    collapsed: true,
    items: pages.map(([path, title]) => ({ text: title, link: `/${path.replace(/(index)?\.md$/, '')}` })),
  }
}

function byIndexFirst(a: string, b: string): number {
  const key = (path: string): string => path.replace(/index\.md$/, ' ')
  return key(a) < key(b) ? -1 : 1
}
