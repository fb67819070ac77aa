import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomUUID } from 'node:crypto'
import type { FakeKubernetes } from '@holdfast/testing'
import { onTestFinished } from 'vitest'
import type { Workspace } from './workspace.ts'

/** Programs that stand in for Benji and Ceph. */
export interface BenjiPrograms {
  /** Puts them first. */
  readonly PATH: string
  /** What was called, in order, each as its words joined by blanks. */
  calls(): readonly string[]
  /** The database of the fake Benji. */
  versions(): readonly Record<string, unknown>[]
  /** Puts a version into it. */
  addVersion(version: Readonly<Record<string, unknown>> & { readonly uid: string }): void
  /** Lets a program fail, or wait, where its words contain a text. */
  on(text: string, how: { readonly exit?: number; readonly stderr?: string; readonly hang?: boolean }): void
}

// One program for both: it is as good as its arguments, which is what is looked at. A shell, because it starts at once.
const source = String.raw`#!/bin/sh
dir=${'$'}{0%/bin/*}
name=${'$'}{0##*/}
line="$name $*"
printf '%s\n' "$line" >> "$dir/calls"
for rule in "$dir"/rules/*; do
  [ -f "$rule" ] || continue
  { IFS= read -r text; read -r code; read -r hang; IFS= read -r said; } < "$rule"
  case $line in *"$text"*) ;; *) continue ;; esac
  [ -z "$said" ] || printf '%s\n' "$said" >&2
  if [ -n "$hang" ]; then
    trap 'echo "$name got SIGINT" >> "$dir/calls"; kill $!; exit 66' INT
    sleep 1000 & wait
  fi
  [ -z "$code" ] || exit "$code"
done
for last; do :; done
between() { printf '%s' "$last" | sed -n "s/.*$1 == \"\([^\"]*\)\".*/\1/p"; }
list() {
  uid=$(between uid) volume=$(between volume) comma=
  printf '{"metadata_version":"3.0.0","versions":['
  for file in "$dir"/db/*; do
    [ -f "$file" ] || continue
    IFS= read -r version < "$file"
    case $version in *"\"uid\":\"${'$'}{uid:-}"*"\"volume\":\"$volume"*) printf '%s%s' "$comma" "$version"; comma=, ;; esac
  done
  printf ']}\n'
}
backup() {
  labels=
  for word; do
    case $word in
      --uid=*) uid=${'$'}{word#*=} ;;
      --snapshot=*) snapshot=${'$'}{word#*=} ;;
      --label=*) pair=${'$'}{word#*=}; labels="$labels,\"${'$'}{pair%%=*}\":\"${'$'}{pair#*=}\"" ;;
    esac
  done
  version="{\"uid\":\"$uid\",\"date\":\"2026-01-01T00:00:00.000000Z\",\"volume\":\"$last\",\"snapshot\":\"$snapshot\",\"size\":8,\"block_size\":4194304,\"status\":\"valid\",\"protected\":false,\"bytes_read\":8,\"bytes_written\":8,\"bytes_deduplicated\":0,\"bytes_sparse\":0,\"duration\":1,\"storage\":\"s\",\"labels\":{${'$'}{labels#,}}}"
  mkdir -p "$dir/db"
  printf '%s\n' "$version" > "$dir/db/$uid"
  printf '{"metadata_version":"3.0.0","versions":[%s]}\n' "$version"
}
case $line in
  'benji '*' ls'*) list ;;
  'benji '*' backup '*) backup "$@" ;;
  'benji '*' metadata-ls'*) printf '['; comma=; for file in "$dir"/db/*; do printf '%s"%s"' "$comma" "${'$'}{file##*/}"; comma=,; done; printf ']' ;;
  'benji '*' enforce '*) printf '{"metadata_version":"3.0.0","versions":[]}\n' ;;
  'benji '*' rm '*) rm -f "$dir/db/$last" ;;
  'rbd '*'snap ls '* | 'rbd '*'diff '*) printf '[]' ;;
  'rbd '*'info '*) printf '{"name":"i","id":"1","size":1073741824}' ;;
  'rbd '*'status '*) printf '{"watchers":[]}' ;;
esac
`

const benjiYaml = `configurationVersion: '1'
defaultStorage: s
storages: [{ name: s, module: file, configuration: { path: /data } }]
ios: [{ name: rbd, module: rbdaio }]
`

/** Writes them into a workspace, with a configuration of Benji beside them, for `HOME`. */
export function benjiPrograms(here: Workspace): BenjiPrograms {
  for (const name of ['benji', 'rbd']) here.write(`bin/${name}`, source, 0o755)
  here.write('benji.yaml', benjiYaml)
  let rules = 0
  const read = (directory: string): readonly string[] =>
    existsSync(here.at(directory))
      ? readdirSync(here.at(directory)).map((name) => readFileSync(here.at(directory, name), 'utf8'))
      : []
  return {
    PATH: `${here.at('bin')}:${process.env['PATH']}`,
    calls: () => (existsSync(here.at('calls')) ? readFileSync(here.at('calls'), 'utf8').trim().split('\n') : []),
    versions: () => read('db').map((text) => JSON.parse(text) as Record<string, unknown>),
    addVersion({ uid, ...version }) {
      const complete = {
        uid,
        date: '2026-01-01T00:00:00.000000Z',
        volume: 'web/data',
        snapshot: '',
        size: 8,
        block_size: 4_194_304,
        status: 'valid',
        protected: false,
        bytes_read: null,
        bytes_written: null,
        bytes_deduplicated: null,
        bytes_sparse: null,
        duration: null,
        storage: 's',
        labels: {},
        ...version,
      }
      here.write(`db/${uid}`, `${JSON.stringify(complete)}\n`)
    },
    on(text, { exit = '', hang = false, stderr = '' }) {
      here.write(`rules/${rules++}`, `${text}\n${exit}\n${hang ? 'hang' : ''}\n${stderr}\n`)
    },
  }
}

/** What a Pushgateway was sent. */
export interface Push {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly body: string
}

/** Starts a Pushgateway that keeps what it is sent. */
export async function startGateway(): Promise<{ readonly address: string; readonly pushes: readonly Push[] }> {
  const pushes: Push[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      pushes.push({ method: request.method, url: request.url, body })
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, pushes }
}

/** Adds a claim that is bound to an image of ceph-csi, or to something else. */
export function addClaim(
  server: FakeKubernetes,
  name: string,
  given: {
    readonly namespace?: string
    readonly image?: string
    readonly phase?: string
    readonly labels?: Record<string, string>
  } = {},
): void {
  const { namespace = 'web', image, phase = 'Bound', labels } = given
  const pv = `pv-${namespace}-${name}`
  const csi =
    image === undefined
      ? { driver: 'nfs.csi.k8s.io', volumeHandle: name }
      : {
          driver: 'rbd.csi.ceph.com',
          volumeHandle: `0001-0004-ceph-0000000000000002-${randomUUID()}`,
          volumeAttributes: { clusterID: 'ceph', pool: 'rbd', imageName: image },
        }
  const common = { accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem', storageClassName: 'ceph' }
  const isBound = phase === 'Bound'
  server.objects.put({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace, ...(labels && { labels }) },
    spec: { ...common, resources: { requests: { storage: '1Gi' } }, ...(isBound && { volumeName: pv }) },
    status: { phase, ...(isBound && { capacity: { storage: '1Gi' } }) },
  })
  if (!isBound) return
  server.objects.put({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: pv },
    spec: {
      ...common,
      csi,
      capacity: { storage: '1Gi' },
      claimRef: { kind: 'PersistentVolumeClaim', namespace, name },
    },
    status: { phase: 'Bound' },
  })
}
