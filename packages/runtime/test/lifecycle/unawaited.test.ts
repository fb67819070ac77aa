// A handler that returns, or throws, while artifacts that it has begun are on their way: none of them is forgotten, and
// none comes afterwards.
import { definePlugin, type Plugin, type Sink, type TargetContext } from '@holdfast/sdk'
import { advanceUntil } from '@holdfast/testing'
import { describe, expect, test } from 'vitest'
import { anything } from './hooks.ts'
import { listed } from './lost-nothing.ts'
import { testRun } from './test-run.ts'

type Context = TargetContext<object>

function plugin(handler: (ctx: Context) => unknown, after: () => unknown = () => {}): Plugin {
  return definePlugin({
    name: 'dump',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything<object>(),
    targets: () => [{ id: 't', labels: {}, data: null }],
    hooks: { backups: { handler, retry: { attempts: 2, backoff: 0 } }, afterBackups: after },
  })({})
}

const bytes = Buffer.from('content')
const write = (sink: Sink): unknown => sink.write(bytes)
const names = async (run: Awaited<ReturnType<typeof testRun>>): Promise<readonly string[]> =>
  (await listed(run)).map(({ name }) => name).toSorted()

describe('an artifact that nobody waits for', () => {
  test('is waited for: it is part of the backup, and stored before anything that comes after backups', async () => {
    const order: string[] = []
    const run = await testRun([
      plugin(
        async (ctx) => {
          await ctx.createArtifact('one', write)
          void ctx.createArtifact('two', async (sink) => {
            await new Promise((resolve) => setTimeout(resolve, 20))
            await sink.write(bytes)
            order.push('two')
          })
        },
        () => order.push('after'),
      ),
    ])
    const { outcome } = await run.run()
    expect(outcome).toMatchObject({ status: 'succeeded', targets: [{ points: [{}, {}] }] })
    expect(order).toEqual(['two', 'after'])
    expect(await names(run)).toEqual(['one', 'two'])
  })

  test('and that fails is no backup', async () => {
    const run = await testRun([
      plugin(async (ctx) => {
        await ctx.createArtifact('one', write)
        void ctx.createArtifact('two', async () => {
          await new Promise((resolve) => setTimeout(resolve, 20))
          throw new Error('half of it')
        })
      }),
    ])
    const { outcome } = await advanceUntil(run.clock, run.run())
    expect(outcome).toMatchObject({ status: 'failed', targets: [{ error: { code: 'ARTIFACT_PRODUCE_FAILED' } }] })
  })

  test('and that had failed before its hook returned is no backup either', async () => {
    const run = await testRun([
      plugin(async (ctx) => {
        void ctx.createArtifact('two', () => {
          throw new Error('at once')
        })
        await ctx.createArtifact('one', write)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }),
    ])
    const { outcome } = await advanceUntil(run.clock, run.run())
    expect(outcome).toMatchObject({ status: 'failed', targets: [{ error: { code: 'ARTIFACT_PRODUCE_FAILED' } }] })
  })
})

test('an artifact is stopped when another one of the same handler fails: it can not come into the next attempt, or after what stood still goes on', async () => {
  let attempts = 0
  const late = Promise.withResolvers<undefined>()
  const run = await testRun([
    plugin(async (ctx) => {
      attempts++
      if (attempts === 2) await late.promise
      await Promise.all([
        ctx.createArtifact('bad', async (sink) => {
          await sink.write(bytes)
          if (attempts === 1) throw new Error('not this time')
        }),
        ctx.createArtifact('slow', async (sink) => {
          if (attempts === 1) await late.promise
          await sink.write(bytes)
        }),
      ])
    }),
  ])
  setTimeout(() => late.resolve(undefined), 50)
  const { outcome } = await advanceUntil(run.clock, run.run())
  expect(outcome).toMatchObject({ status: 'succeeded', targets: [{ points: [{ size: 7 }, { size: 7 }] }] })
  expect(await names(run)).toEqual(['bad', 'slow'])
})

test('a handler that has ended begins no more artifacts', async () => {
  let context: Context | undefined
  const run = await testRun([
    plugin(async (ctx) => {
      context = ctx
      await ctx.createArtifact('one', write)
    }),
  ])
  await run.run()
  await expect(context?.createArtifact('two', write)).rejects.toMatchObject({ code: 'HOOK_OVER' })
  expect(await names(run)).toEqual(['one'])
})
