// The checks by vitest, with nothing of ours set: see runners.test.ts.
import { test } from 'vitest'
import { checks } from './runner-checks.ts'

for (const { name, run } of checks) test(name, run)
