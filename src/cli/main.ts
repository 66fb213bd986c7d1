/**
 * The command line. Options are declared here, cheaply; what a command does is loaded when it is asked for.
 * What users get wrong is one sentence on stderr and exit code 2.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import project from '../../package.json' with { type: 'json' }
import type { StartOptions } from './commands/start.ts'
import { isUserError } from './user-error.ts'

const EXIT_USER_ERROR = 2

const START_HELP = `
Settings are Apache Kafka's. They are taken, later ones winning, from --config, the KAFKA_* variables of the
environment (KAFKA_NUM_PARTITIONS is num.partitions) and --set. Stop with Ctrl-C; data stays in the data directory.

Examples:
  minikafka start                                   on localhost:9092, data in ./minikafka-data
  minikafka start --in-memory --port 0 --json       on a free port, told as JSON, nothing left behind
  minikafka start --set num.partitions=3 --set log.retention.hours=1`

async function main(args: readonly string[]): Promise<void> {
  // Whoever read our output may have gone (`| head -1`): clients still have their broker.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => {})
  try {
    await program().parseAsync(args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has said what is wrong, or shown the help or version that was asked for.
      process.exitCode = error.exitCode === 0 ? 0 : EXIT_USER_ERROR
    } else if (isUserError(error)) {
      process.stderr.write(`minikafka: ${error.message}\n`)
      process.exitCode = EXIT_USER_ERROR
    } else {
      throw error
    }
  }
}

function program(): Command {
  const minikafka = new Command('minikafka')
    .description('A small Apache Kafka broker on Node.js.')
    .version(project.version)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, 'minikafka: ').replace(/\n\(/, ' ('))
    })
  minikafka.addCommand(startCommand().copyInheritedSettings(minikafka))
  return minikafka
}

function startCommand(): Command {
  const levels = ['debug', 'info', 'warn', 'error', 'silent']
  return new Command('start')
    .description('Start a broker and serve it until stopped.')
    .option('--port <number>', 'port to listen on; 0 takes a free one (default: 9092)', parsePort)
    .option('--host <name>', 'host name or address to listen on (default: localhost)')
    .option('--data-dir <directory>', 'where topics are kept (default: ./minikafka-data)')
    .addOption(new Option('--in-memory', 'keep nothing on disk').conflicts('dataDir'))
    .option('--config <file>', 'a server.properties file')
    .option('--set <name=value>', 'a setting of the broker; may be repeated', (text, all: string[] = []) => [
      ...all,
      text
    ])
    .addOption(new Option('--log-level <level>', 'how much to log to stderr').choices(levels).default('info'))
    .option('--json', 'tell readiness and log in JSON')
    .addHelpText('after', START_HELP)
    .allowExcessArguments(false)
    .action(async (options: StartOptions) => {
      const { start } = await import('./commands/start.ts')
      await start(options, project.version)
    })
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new InvalidArgumentError('A port is a number from 0 to 65535.')
  }
  return Number(text)
}

await main(process.argv.slice(2))
