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
Settings are Apache Kafka's. They are taken, later ones winning, from --config, the KAFKA_* variables of the
environment (KAFKA_NUM_PARTITIONS is num.partitions) and --set. Stop with Ctrl-C; data stays in the data directory.

--topic creates topics that do not exist. A part of it that begins with the name of a setting and = begins the next setting;
other parts belong to the value before them, as in orders:3:cleanup.policy=compact. --records writes records once, and skips
topics that have held records before; a warning names those that an interrupted start has left with a part of them. Each
line is a record or a transaction:
  {"topic":"orders","key":"k","value":"v","headers":{"h":"x"},"partition":0,"timestamp":1700000000000}
  {"transactionalId":"pay-1","result":"commit","records":[{"topic":"orders","value":"v"}]}
topic alone is required. Keys and values are strings or null; result is commit, abort or open.

Examples:
  minikafka start                                   on localhost:9092, data in ./minikafka-data
  minikafka start --in-memory --port 0 --json       on a free port, told as JSON, nothing left behind
  minikafka start --topic orders:3 --records orders.ndjson --in-memory
  minikafka start --set num.partitions=3 --set log.retention.hours=1`

const DUMP_LOG_HELP = `
Reads the files of Apache Kafka and of minikafka: .log, .checkpoint, .index, .timeindex, .snapshot, .txnindex. The lines
are those of DumpLogSegments in Kafka 4.3.

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
    .description('Start a broker and serve it until stopped (the default command).')
    .option('--port <number>', 'port to listen on; 0 takes a free one (default: 9092)', parsePort)
    .option('--host <name>', 'host name or address to listen on (default: localhost)')
    .option('--data-dir <directory>', 'where topics are kept (default: ./minikafka-data)')
    .addOption(new Option('--in-memory', 'keep nothing on disk').conflicts('dataDir'))
    .option('--config <file>', 'a server.properties file')
    .option('--set <name=value>', 'a setting of the broker; may be repeated', repeated)
    .option(
      '--topic <topic>',
      'a topic to create: name[:partitions[:replicas]][:key=value...]; may be repeated',
      repeated
    )
    .option('--records <file>', 'records to write before clients are served, one JSON object a line; - is stdin')
    .addOption(new Option('--log-level <level>', 'how much to log to stderr').choices(levels).default('info'))
    .option('--json', 'tell readiness and log in JSON')
    .addHelpText('after', START_HELP)
    .allowExcessArguments(false)
    .action(async (options: StartOptions) => {
      const { start } = await import('./commands/start.ts')
      await start(options, project.version)
    })
}

function dumpLogCommand(): Command {
  return new Command('dump-log')
    .description('Show what is in the files of a log.')
    .argument('[folders...]', 'folders, or files, to look into')
    .option('--files <files>', 'files to look into, separated by commas', (more, files?: string) =>
      files === undefined ? more : `${files},${more}`
    )
    .option('--print-data-log', 'show keys and values')
    .option('--deep-iteration', 'show records')
    .option('--skip-record-metadata', 'show of records nothing but keys and values')
    .option('--max-message-size <bytes>', 'how much of the log is read for an entry of its index', parseSize, 5_242_880)
    .option('--max-bytes <bytes>', 'how much of each log is read (default: all)', parseSize)
    .option('--index-sanity-check', 'check indexes only as a broker does when it starts')
    .option('--verify-index-only', 'check indexes without showing them')
    .option('--key-decoder-class [class]', 'StringDecoder, IntegerDecoder, LongDecoder or DefaultDecoder')
    .option('--value-decoder-class [class]', 'as for keys')
    .option('--offsets-decoder', 'decode the records of __consumer_offsets')
    .option('--transaction-log-decoder', 'decode the records of __transaction_state')
    .option('--cluster-metadata-decoder', 'decode the records of __cluster_metadata')
    .option('--from-offset <offset>', 'show nothing before this offset', parseInt64)
    .option('--to-offset <offset>', 'show nothing after this offset', parseInt64)
    .option('--key <text>', 'show only records with this key, as it is printed')
    .option('--producer-id <id>', "show only this producer's batches", parseInt64)
    .option('--verify', 'show only what is wrong; exit code 1 if anything is')
    .addOption(new Option('--transactions', 'show one line for each transaction').conflicts('verify'))
    .addOption(
      new Option('--follow', 'go on with what is appended to logs, until Ctrl-C').conflicts([
        'verify',
        'transactions',
        'maxBytes',
        'indexSanityCheck',
        'verifyIndexOnly'
      ])
    )
    .option('--json', 'one JSON object a line')
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
    throw new InvalidArgumentError('A size is a number of bytes from 0 to 2147483647.')
  }
  return Number(text)
}

function parseInt64(text: string): bigint {
  if (!/^\d{1,19}$/.test(text)) throw new InvalidArgumentError('It is a number from 0 on.')
  return BigInt(text)
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new InvalidArgumentError('A port is a number from 0 to 65535.')
  }
  return Number(text)
}

void main(process.argv.slice(2))
