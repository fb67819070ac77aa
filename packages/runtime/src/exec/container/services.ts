import type { Meter } from '@holdfast/sdk'
import type { ApiClient } from '../../kubernetes/api-client.ts'
import type { Connection } from '../../kubernetes/connection.ts'
import type { ExecServices } from '../command.ts'

/** The cluster whose containers commands run in. */
export interface ExecCluster {
  readonly connection: Connection
  readonly api: Pick<ApiClient, 'request'>
}

/** What running commands in containers needs. */
export interface ContainerServices extends Omit<ExecServices, 'env'> {
  readonly cluster: ExecCluster
  readonly meter: Meter | undefined
  /** A number from 0 to 1. */
  readonly random: () => number
}

/** How long what takes, in ms. */
export const limits = {
  /** From the first attempt to the open connection, with all that is tried again. */
  handshakeMs: 15_000,
  /** From the open connection to the command's start. A node under load takes seconds; a frozen one for ever. */
  startMs: 60_000,
  /** Between pings. What doesn't answer one until the next is gone. */
  pingMs: 15_000,
  /** What a server gets to close the connection after the status, as long as nothing comes. */
  closeMs: 1000,
  /** What is on its way gets this long to arrive once nobody holds it up any more. */
  settleMs: 10_000,
  /**
   * Silence after the command's exit, in which the end of its output should come: it is lost, and not waited for. Whoever
   * is told too early that all has arrived makes it so.
   */
  endMs: 20_000,
  /**
   * Silence after the command's exit, in which its status should come: somebody else holds its output open. Nodes and
   * networks have worse moments than pipes.
   */
  heldMs: 30_000,
} as const
