// The same checks for each test runner: see runners.test.ts. Of a plugin that takes any option, the first fails.
import { pluginConformance } from '../../src/conformance/plugin-conformance.ts'
import { memoryStorage } from '../../src/memory-storage.ts'
import { storageConformance, type ConformanceCase } from '../../src/storage-conformance.ts'
import { volumeCases, volumePlugin } from './volume-plugin.ts'

export const checks: readonly ConformanceCase[] = [
  ...pluginConformance(volumePlugin('takes any option'), volumeCases().slice(0, 1)).filter(
    // Not the longest: they are the same everywhere.
    ({ name }) => !/told to stop|armed|the run after/.test(name),
  ),
  ...storageConformance(async () => ({ driver: memoryStorage() })).slice(0, 3),
]
