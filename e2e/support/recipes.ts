// The recipes of examples/recipes as they are: their files in a pod, the commands of their pages.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { blockOf } from '../../scripts/page-blocks.ts'
import { images } from './namespace.ts'
import { sidecarTemplate } from './sidecar.ts'

const directory = new URL('../../examples/recipes', import.meta.url).pathname
const password = { secretKeyRef: { name: 'databases', key: 'password' } }

const pages: Readonly<Record<string, string>> = {
  postgresql: 'examples/recipes/postgresql/README.md',
  mariadb: 'examples/recipes/mariadb/README.md',
  redis: 'examples/recipes/redis/README.md',
  sqlite: 'examples/recipes/sqlite/README.md',
  tar: 'examples/recipes/tar/README.md',
}

/** The commands under "Restore" of a recipe's page. */
export function restoreOf(recipe: string): string {
  return blockOf(pages[recipe] ?? recipe, 'restore')
}

/** Paths below /recipes → contents: what each recipe has, with its configuration in both forms. */
function filesOf(recipes: readonly string[]): ReadonlyMap<string, string> {
  const [scripts, hooks] = ['scripts.yaml', 'hooks.yaml'].map((name) => readFileSync(join(directory, name), 'utf8'))
  const of = (recipe: string): readonly (readonly [string, string | undefined])[] => [
    ...globSync(`${recipe}/{hooks.ts,scripts/*/*}`, { cwd: directory }).map(
      (path) => [path, readFileSync(join(directory, path), 'utf8')] as const,
    ),
    [`${recipe}/hooks.yaml`, hooks],
    [`${recipe}/scripts.yaml`, scripts?.replace('path: /scripts', `path: /recipes/${recipe}/scripts`)],
  ]
  return new Map(recipes.flatMap(of).map(([path, content]) => [path, content ?? '']))
}

/** A pod with Holdfast, and beside it each database as a container. */
export function recipesPod(namespace: string, recipes: readonly string[]): readonly object[] {
  const files = [...filesOf(recipes)].map(([path, content], index) => ({ path, content, key: `file-${index}` }))
  const { metadata, spec } = sidecarTemplate({
    command: ['sleep', 'infinity'],
    containers: databases,
  }) as {
    readonly metadata: object
    readonly spec: { readonly containers: readonly Record<string, object>[]; readonly volumes: readonly object[] }
  }
  const [holdfast, ...others] = spec.containers
  const mounts = [...((holdfast?.['volumeMounts'] ?? []) as object[]), { name: 'recipes', mountPath: '/recipes' }]
  const items = files.map(({ key, path }) => ({ key, path }))
  const volume = { name: 'recipes', configMap: { name: 'recipes', items, defaultMode: 0o755 } }
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'recipes', namespace },
      data: Object.fromEntries(files.map(({ key, content }) => [key, content])),
    },
    // The one that the image was built with.
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'databases', namespace },
      stringData: { password: 'secret' },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, name: 'shop-0', namespace },
      spec: {
        ...spec,
        terminationGracePeriodSeconds: 1,
        containers: [{ ...holdfast, volumeMounts: mounts }, ...others],
        volumes: [...spec.volumes, volume],
      },
    },
  ]
}

const databases = [
  database(
    'postgres',
    'exec setpriv --reuid=postgres --regid=postgres --init-groups postgres -D /var/lib/postgresql/data',
    [
      { name: 'POSTGRES_USER', value: 'shop' },
      { name: 'POSTGRES_DB', value: 'shop' },
      { name: 'POSTGRES_PASSWORD', valueFrom: password },
    ],
  ),
  database('mariadb', 'exec mariadbd', [
    { name: 'MARIADB_DATABASE', value: 'shop' },
    { name: 'MARIADB_ROOT_PASSWORD', valueFrom: password },
  ]),
  database(
    'redis',
    'echo "requirepass $REDIS_PASSWORD" | redis-server - --port 0 --unixsocket /run/redis.sock --repl-diskless-sync-delay 0 --save ""',
    [{ name: 'REDIS_PASSWORD', valueFrom: password }],
  ),
  ...['shop', 'web'].map((name) => database(name, 'mkdir /data && exec sleep infinity', [])),
]

function database(name: string, script: string, env: readonly object[]): object {
  return { name, image: images.databases, imagePullPolicy: 'Never', command: ['sh', '-euc', script], env }
}
