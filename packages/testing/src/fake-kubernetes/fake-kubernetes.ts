import type { FakeAccess } from './access.ts'
import type { BadDay, RequestFault, RequestMatch } from './bad-days.ts'
import type { ExecFault, ExecMatch } from './exec-faults.ts'
import type { FakeExecution } from './fake-execution.ts'
import type { FakeKind } from './kinds.ts'
import type { FakeTls } from './listener.ts'
import type { StoredObject } from './object-store.ts'
import type { FakeObjects } from './objects.ts'
import type { FakePod } from './pods.ts'
import type { FakeRequest } from './requests.ts'

/** How a fake server starts. */
export interface StartFakeKubernetesOptions {
  /** Serves https with this certificate, for 127.0.0.1; `true`: with one of its own. Default: http. */
  readonly tls?: FakeTls | true | undefined
  /** Of its kubeconfig, its service account, and of pods that name none. Default: `default`. */
  readonly namespace?: string | undefined
  /** Whose token it is. Default: `system:serviceaccount:<namespace>:holdfast`. */
  readonly user?: string | undefined
  /** Of Kubernetes. From 1.35 on, exec needs the verb `create` besides `get`. Default: `1.34.4`. */
  readonly version?: string | undefined
  /** Kinds besides the built-in ones, such as those of CRDs. */
  readonly kinds?: readonly FakeKind[] | undefined
  /** Wall clock of the server. Default: this machine's. */
  readonly now?: (() => Date) | undefined
}

/** A fake Kubernetes API server that runs. Disposing of it kills what still runs in its pods. */
export interface FakeKubernetes extends AsyncDisposable {
  readonly url: string
  readonly namespace: string
  /** The bearer token that it accepts. Over http a request without any is accepted, too: kubectl sends none there. */
  readonly token: string
  readonly objects: FakeObjects
  /** Every request, in the order in which they came, execs among them. */
  readonly requests: readonly FakeRequest[]
  /** TCP connections that were made so far. */
  readonly connections: number
  /** Every exec that opened. */
  readonly execs: readonly FakeExecution[]
  /** Who may do what. At first everything is allowed. */
  readonly authorize: FakeAccess

  /** @throws TypeError when a container's directory is none */
  addPod(pod: FakePod): StoredObject
  /**
   * Kills what runs in a container and starts it anew: one more restart, another container id.
   *
   * @param namespace - default: the server's
   * @throws TypeError when there is no such pod or container
   */
  restartContainer(pod: string, container: string, namespace?: string): StoredObject
  /** A kubeconfig with the token as it is now. */
  kubeconfig(): string
  /**
   * Writes `token`, `ca.crt` and `namespace`, as in a pod. Clients in a pod use https only: start the server with `tls`.
   *
   * @returns the variables that say where the server is
   */
  serviceAccount(directory: string): {
    readonly KUBERNETES_SERVICE_HOST: string
    readonly KUBERNETES_SERVICE_PORT: string
  }
  /**
   * From now on only a new token is accepted; the old one gets 401.
   *
   * @param options - `rewrite`: whether the files of `serviceAccount` get the new one, as the kubelet sees to. Default: true
   */
  rotateToken(options?: { readonly rewrite?: boolean | undefined }): string

  /** Requests that go wrong; of several bad days that are meant, the first that isn't used up. */
  misbehave(match: RequestMatch, how: RequestFault): BadDay
  /** Execs that go wrong; several faults at once may be given. */
  misbehaveExec(match: ExecMatch, how: ExecFault | readonly ExecFault[]): BadDay
  /** Forgets the past, as etcd does after five minutes: lists that were begun and older watches get 410. */
  expire(): void
  /** Ends every connection and refuses new ones. What runs in pods goes on. */
  down(): Promise<void>
  /** Comes back, on the same port. */
  up(): Promise<void>
}
