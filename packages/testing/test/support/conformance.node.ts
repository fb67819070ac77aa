// The same checks by Node's own runner: see runners.test.ts.
import { test } from 'node:test'
import { pluginConformance } from '../../src/conformance/plugin-conformance.ts'
import { memoryStorage } from '../../src/memory-storage.ts'
import { storageConformance } from '../../src/storage-conformance.ts'
import { volumeCases, volumePlugin } from './volume-plugin.ts'

const checks = pluginConformance(volumePlugin('takes any option'), volumeCases().slice(0, 1))
for (const { name, run } of checks) if (!name.includes('told to stop')) void test(name, run)
for (const { name, run } of storageConformance(async () => ({ driver: memoryStorage() })).slice(0, 3))
  void test(name, run)
