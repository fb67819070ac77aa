import { scripts } from '@holdfast/plugin-scripts'
import { defineConfig } from '@holdfast/sdk'
import quiesce from './hooks/quiesce.ts'

export default defineConfig({
  instance: 'demo',
  plans: [
    {
      name: 'ledger',
      schedule: { cron: '0 3 * * *', timeZone: 'Europe/Berlin' },
      use: [quiesce, scripts({ path: new URL('./scripts', import.meta.url).pathname })],
      retention: { latest: 2 },
    },
  ],
})
