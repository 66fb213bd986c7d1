/** Mistakes of a user at the start of a broker, and their error messages. */
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Run } from './minikafka.ts'
import { freshTerminal } from './terminal.ts'

const terminal = freshTerminal()

describe('a start with a mistake', () => {
  async function refusal(run: Run): Promise<string> {
    expect(await run.ended()).toBe(2)
    expect(run.stdout).toBe('')
    expect(run.stderr).toMatch(/^minikafka: [^\n]+\n$/)
    return run.stderr
  }

  it.each([
    [['start', '--set', 'num.partitons=3'], 'did you mean num.partitions?'],
    [['start', '--set', 'num.partitions=none'], '--set: num.partitions is "none", but must be a whole number'],
    [['start', '--set', 'num.partitions=0'], 'num.partitions is "0", but must be'],
    [['start', '--set', 'num.partitions'], 'must be name=value'],
    [['start', '--config', '/no/such/file'], '--config /no/such/file: the file does not exist'],
    [['start', '--port', '65536'], 'A port must be a number from 0 to 65535.'],
    [['start', '--host', '192.0.2.1', '--in-memory'], '192.0.2.1 is not an address of this machine'],
    [['start', '--log-level', 'loud'], 'Allowed choices are'],
    [['start', '--in-memory', '--data-dir', 'x'], 'cannot be used with'],
    [['start', '--prot', '1'], "unknown option '--prot'"],
    [['start', 'extra'], 'too many arguments'],
    [['--prot', '1'], "unknown option '--prot'"],
    [['strat'], "unknown command 'strat' (Did you mean start?)"],
    [['nonsense'], "unknown command 'nonsense'"]
  ])('minikafka %j is refused with one sentence and exit code 2', async (args, sentence) => {
    expect(await refusal(terminal.minikafka(args))).toContain(sentence)
  })

  it('a config file with an error is refused with file and line', async () => {
    const file = join(terminal.directory, 'server.properties')
    writeFileSync(file, '# mine\nnum.partitions=many\n')
    expect(await refusal(terminal.minikafka(['start', '--config', file]))).toContain(
      `${file} line 2: num.partitions is "many"`
    )
  })

  it('a taken port is refused with one sentence', async () => {
    const { bootstrapServers } = await terminal.startInMemory().ready()
    const port = bootstrapServers.split(':')[1] ?? ''
    const second = terminal.minikafka(['start', '--in-memory', '--port', port])
    expect(await refusal(second)).toContain(`Port ${port} on localhost is taken`)
  })

  it('a data directory of a running broker is refused with one sentence', async () => {
    const first = terminal.startOnDisk()
    const { pid, dataDir } = await first.ready()
    expect(await refusal(terminal.startOnDisk())).toContain(
      `${dataDir} is in use by another minikafka (process ${pid})`
    )
  })

  it('a data directory with damaged metadata is refused with one sentence', async () => {
    const run = terminal.startOnDisk()
    await run.ready()
    await run.stop()
    const snapshot = '__cluster_metadata-0/00000000000000000000-0000000000.checkpoint'
    truncateSync(join(terminal.directory, 'data', snapshot), 100)
    expect(await refusal(terminal.startOnDisk())).toContain(
      `${snapshot}, position 0: the file ends in the middle of a batch`
    )
  })

  it('a file as data directory is refused with one sentence', async () => {
    writeFileSync(join(terminal.directory, 'data'), '')
    expect(await refusal(terminal.startOnDisk())).toContain('cannot be used as data directory: the path is a file')
  })
})
