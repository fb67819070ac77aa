// A command as a process of its own, from the sources: node start.ts COMMAND ARGUMENTS…
const [command = ''] = process.argv.splice(2, 1)
const { main } = (await import(`../../src/${command}.ts`)) as { main(): Promise<void> }
await main()
