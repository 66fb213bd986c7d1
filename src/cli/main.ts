/**
 * The command line: declares the commands and their options. The code of a command is loaded only when the command runs, to
 * keep the start fast. User errors are one sentence on stderr and exit code 2.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import project from '../../package.json' with { type: 'json' }
import type { DumpLogOptions } from './commands/dump-log.ts'
import type { StartOptions } from './commands/start.ts'
import { isUserError } from './user-error.ts'

const EXIT_USER_ERROR = 2
const DEFAULT_COMMAND = 'start'
const OPTIONS_WITHOUT_COMMAND = ['-h', '--help', '-V', '--version']

const START_HELP = `
Settings have Apache Kafka's names. They come from --config, from KAFKA_* environment variables (KAFKA_NUM_PARTITIONS is
num.partitions) and from --set; a later source overrides an earlier one. Ctrl-C stops the broker. The data directory remains.

--topic creates a topic if it does not exist. Configs follow the counts, as in orders:3:cleanup.policy=compact. A part without
the name of a topic config and = belongs to the value before it, so values can contain colons.

--records writes records into topics that have never had records; other topics are skipped. A warning names topics in which an
interrupted start has written only a part of its records. Each line is a record or a transaction:
  {"topic":"orders","key":"k","value":"v","headers":{"h":"x"},"partition":0,"timestamp":1700000000000}
  {"transactionalId":"pay-1","result":"commit","records":[{"topic":"orders","value":"v"}]}
Only topic is required. Keys and values are strings or null. The result is commit, abort or open.

Examples:
  minikafka start                                   on localhost:9092, data in ./minikafka-data
  minikafka start --in-memory --port 0 --json       on a free port, ready line as JSON, data in memory
  minikafka start --topic orders:3 --records orders.ndjson --in-memory
  minikafka start --set num.partitions=3 --set log.retention.hours=1`

const DUMP_LOG_HELP = `
Reads files of Apache Kafka and minikafka: .log, .checkpoint, .index, .timeindex, .snapshot, .txnindex. The output has the
format of DumpLogSegments in Kafka 4.3.

Examples:
  minikafka dump-log minikafka-data/orders-0 --print-data-log
  minikafka dump-log --files 00000000000000000000.log,00000000000000000000.index
  minikafka dump-log minikafka-data --verify
  minikafka dump-log minikafka-data --transactions
  minikafka dump-log minikafka-data/orders-0 --print-data-log --follow`

async function main(args: readonly string[]): Promise<void> {
  // The broker keeps serving after the reader of its output has closed the pipe (`| head -1`).
  for (const output of [process.stdout, process.stderr]) output.on('error', () => {})
  try {
    await program().parseAsync(withCommand(args), { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has already printed the error, the help or the version.
      process.exitCode = error.exitCode === 0 ? 0 : EXIT_USER_ERROR
    } else if (isUserError(error)) {
      process.stderr.write(`minikafka: ${error.message}\n`)
      process.exitCode = EXIT_USER_ERROR
    } else {
      throw error
    }
  }
}

/** Adds the default command. Commander's own default command would take a mistyped command as its argument. */
function withCommand(args: readonly string[]): readonly string[] {
  const [first = '-'] = args
  return first.startsWith('-') && !OPTIONS_WITHOUT_COMMAND.includes(first) ? [DEFAULT_COMMAND, ...args] : args
}

function program(): Command {
  const minikafka = new Command('minikafka')
    .description('A small Apache Kafka broker on Node.js.')
    .version(project.version)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, 'minikafka: ').replace(/\n\(/, ' ('))
    })
  for (const command of [startCommand(), dumpLogCommand()]) {
    minikafka.addCommand(command.copyInheritedSettings(minikafka))
  }
  return minikafka
}

function startCommand(): Command {
  const levels = ['debug', 'info', 'warn', 'error', 'silent']
  return new Command(DEFAULT_COMMAND)
    .description('Start a broker that runs until it is stopped (the default command).')
    .option('--port <number>', 'port to listen on; 0 selects a free port (default: 9092)', parsePort)
    .option('--host <name>', 'host name or address to listen on (default: localhost)')
    .option('--data-dir <directory>', 'data directory (default: ./minikafka-data)')
    .addOption(new Option('--in-memory', 'keep all data in memory').conflicts('dataDir'))
    .option('--config <file>', 'a server.properties file of Kafka')
    .option('--set <name=value>', 'a broker setting; can be repeated', repeated)
    .option(
      '--topic <topic>',
      'a topic to create: name[:partitions[:replicas]][:key=value...]; can be repeated',
      repeated
    )
    .option(
      '--records <file>',
      'records to write before the first client is served, one JSON object per line; - is stdin'
    )
    .addOption(new Option('--log-level <level>', 'lowest level of log lines on stderr').choices(levels).default('info'))
    .option('--json', 'write the ready line and the log as JSON')
    .addHelpText('after', START_HELP)
    .allowExcessArguments(false)
    .action(async (options: StartOptions) => {
      const { start } = await import('./commands/start.ts')
      await start(options, project.version)
    })
}

function dumpLogCommand(): Command {
  return new Command('dump-log')
    .description('Print the contents of log files.')
    .argument('[folders...]', 'folders or files to read')
    .option('--files <files>', 'files to read, separated by commas', (more, files?: string) =>
      files === undefined ? more : `${files},${more}`
    )
    .option('--print-data-log', 'print records with keys and values')
    .option('--deep-iteration', 'print records')
    .option('--skip-record-metadata', 'print only keys and values of records')
    .option('--max-message-size <bytes>', 'bytes of the log to read for an index entry', parseSize, 5_242_880)
    .option('--max-bytes <bytes>', 'bytes of each log to read (default: all)', parseSize)
    .option('--index-sanity-check', 'only run the sanity check of a broker start on indexes')
    .option('--verify-index-only', 'check indexes without printing entries')
    .option(
      '--key-decoder-class [class]',
      'decoder of keys: StringDecoder, IntegerDecoder, LongDecoder or DefaultDecoder'
    )
    .option('--value-decoder-class [class]', 'decoder of values, with the same classes')
    .option('--offsets-decoder', 'decode the records of __consumer_offsets')
    .option('--transaction-log-decoder', 'decode the records of __transaction_state')
    .option('--cluster-metadata-decoder', 'decode the records of __cluster_metadata')
    .option('--from-offset <offset>', 'print only offsets from this one', parseInt64)
    .option('--to-offset <offset>', 'print only offsets up to this one', parseInt64)
    .option('--key <text>', 'print only records with this key, in its printed form')
    .option('--producer-id <id>', 'print only batches of this producer id', parseInt64)
    .option('--verify', 'print only problems; exit code 1 if there are any')
    .addOption(new Option('--transactions', 'print a line for each transaction').conflicts('verify'))
    .addOption(
      new Option('--follow', 'continue with batches that are appended, until Ctrl-C').conflicts([
        'verify',
        'transactions',
        'maxBytes',
        'indexSanityCheck',
        'verifyIndexOnly'
      ])
    )
    .option('--json', 'print one JSON object per line')
    .addHelpText('after', DUMP_LOG_HELP)
    .action(async (folders: readonly string[], options: DumpLogOptions) => {
      const { dumpLog } = await import('./commands/dump-log.ts')
      await dumpLog(folders, options)
    })
}

function repeated(text: string, all: readonly string[] = []): readonly string[] {
  return [...all, text]
}

function parseSize(text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > 2_147_483_647) {
    throw new InvalidArgumentError('A size must be a number of bytes from 0 to 2147483647.')
  }
  return Number(text)
}

function parseInt64(text: string): bigint {
  if (!/^\d{1,19}$/.test(text))
    throw new InvalidArgumentError('It must be a whole number from 0 to 9223372036854775807.')
  return BigInt(text)
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new InvalidArgumentError('A port must be a number from 0 to 65535.')
  }
  return Number(text)
}

void main(process.argv.slice(2))
