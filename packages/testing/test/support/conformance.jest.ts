// The checks by jest, as modules: see runners.test.ts.
import { checks } from './runner-checks.ts'

declare const test: (name: string, run: () => Promise<void>) => void

for (const { name, run } of checks) test(name, run)
