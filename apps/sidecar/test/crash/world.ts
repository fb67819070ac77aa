// The application of the crash sweep: what stands still is a file in a directory, so that it outlives every process.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineHook, definePlugin, defineUndo, type HookModule, type Plugin } from '@holdfast/sdk'
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** Called at every effect boundary; the sweep kills the process in one of them. */
export type Point = (name: string) => void

const anything = <T>(): StandardSchemaV1<unknown, T> => ({
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as T }) },
})

/** What stands still. */
export function heldIn(world: string): readonly string[] {
  return existsSync(world) ? readdirSync(world).filter((name) => name.startsWith('held-')) : []
}

function hold(world: string, what: string): void {
  mkdirSync(world, { recursive: true })
  writeFileSync(join(world, `held-${what}`), '')
}

function release(world: string, what: string): void {
  rmSync(join(world, `held-${what}`), { force: true })
}

/**
 * A hook module that pauses the application, and a plugin that freezes each of two volumes while it copies it.
 *
 * @param generation - written into what they make: the sweep replaces the code between kill and restart
 */
export function application(world: string, point: Point, generation: string): readonly (Plugin | HookModule)[] {
  const resume = defineUndo({
    name: 'resume',
    input: anything<{ what: string }>(),
    deadline: '10s',
    run: ({ what }) => {
      point('before resume')
      release(world, what)
      point('after resume')
    },
  })
  const thaw = defineUndo({
    name: 'thaw',
    input: anything<{ volume: string }>(),
    deadline: '10s',
    run: ({ volume }) => {
      point('before thaw')
      release(world, volume)
      point('after thaw')
    },
  })
  const pause = defineHook(
    'beforeBackups',
    async ({ undo }) => {
      await undo.arm(resume, { what: 'application' })
      point('before pause')
      hold(world, 'application')
      point('after pause')
    },
    { name: 'pause', undos: [resume] },
  )
  const volumes = definePlugin({
    name: 'volumes',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything<object>(),
    undos: [thaw],
    targets: () => ['a', 'b'].map((id) => ({ id, labels: {}, data: null })),
    hooks: {
      async backups(ctx) {
        const volume = `volume-${ctx.target.id}`
        const frozen = await ctx.undo.arm(thaw, { volume })
        point('before freeze')
        hold(world, volume)
        point('after freeze')
        await ctx.createArtifact('image', async (sink) => {
          await sink.write(Buffer.from(`${generation} ${volume} `.repeat(10)))
          point('in the middle of the artifact')
          await sink.write(Buffer.from('end'))
        })
        point('after the artifact')
        await frozen.fire()
      },
    },
  })
  return [pause, volumes({})]
}
