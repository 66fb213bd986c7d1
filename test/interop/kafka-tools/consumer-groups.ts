// Apache Kafka's command line tools (kafka-consumer-groups, kafka-groups, kafka-configs) and Java consumers, in one
// Java process that all brokers of a test share. Makes the output comparable: masks random ids and ports, sorts rows of
// tables.
import type { JavaConsole } from '../java/console.ts'
import type { Session } from '../oracle/session.ts'
import { arrange, type Step } from '../oracle/transcript.ts'
import { type Printed, runTool, startTools, toolJars } from './tool-console.ts'

const CONSUMER_GROUPS = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand'
const GROUPS = 'org.apache.kafka.tools.GroupsCommand'
const CONFIGS = 'kafka.admin.ConfigCommand'
const SETTLE_LIMIT_MS = 120_000
/** heartbeat.interval.ms: the time until a classic consumer learns of a rebalance. */
const HEARTBEAT_MS = 200

/**
 * A consumer: its subscription (topics, a Java pattern, or an RE2 expression that the broker evaluates), and settings.
 */
export interface Consumer {
  readonly topics?: readonly string[]
  readonly pattern?: string
  readonly regex?: string
  readonly settings?: Readonly<Record<string, string>>
}

/** The Java process. Its methods create steps that can run against either broker. */
export class Tools {
  readonly #console: JavaConsole

  private constructor(console: JavaConsole) {
    this.#console = console
  }

  /** `jars` is the folder with the tools. kafka-configs needs the jars of a broker. */
  static async start(jars = toolJars()): Promise<Tools> {
    return new Tools(startTools(await jars))
  }

  /** A kafka-consumer-groups command and its output. */
  consumerGroups(...args: readonly string[]): Step {
    return this.#command('kafka-consumer-groups', CONSUMER_GROUPS, args)
  }

  /** A kafka-groups command and its output. */
  groups(...args: readonly string[]): Step {
    return this.#command('kafka-groups', GROUPS, args)
  }

  /** A kafka-configs command and its output. */
  configs(...args: readonly string[]): Step {
    return this.#command('kafka-configs', CONFIGS, args)
  }

  /** A consumer joins a group. */
  join(group: string, member: string, { topics, pattern, regex, settings }: Consumer): Step {
    return arrange(`${member} joins ${group}`, ({ bootstrapServers }) => {
      const all = {
        'bootstrap.servers': bootstrapServers,
        'group.id': group,
        'client.id': member,
        'auto.offset.reset': 'earliest',
        'enable.auto.commit': 'false',
        ...(settings?.['group.protocol'] === 'consumer' ? {} : { 'heartbeat.interval.ms': `${HEARTBEAT_MS}` }),
        ...settings
      }
      return this.#execute({ do: 'join', name: `${member} ${bootstrapServers}`, topics, pattern, regex, settings: all })
    })
  }

  /** A consumer reads its partitions to their end, and commits. */
  read(member: string): Step {
    return arrange(`${member} reads and commits`, ({ bootstrapServers }) =>
      this.#execute({ do: 'read', name: `${member} ${bootstrapServers}` })
    )
  }

  leave(member: string): Step {
    return arrange(`${member} leaves`, ({ bootstrapServers }) =>
      this.#execute({ do: 'leave', name: `${member} ${bootstrapServers}` })
    )
  }

  /** Waits until a group is stable with that many members; with zero, until it is empty. */
  settled(group: string, members: number): Step {
    const stateLine = RegExp(`${members === 0 ? 'Empty' : 'Stable'} +${members}\\n`)
    return arrange(`${group} has ${members} members`, async session => {
      for (const deadline = Date.now() + SETTLE_LIMIT_MS; ; ) {
        const { stdout, stderr } = await this.#run(session, CONSUMER_GROUPS, [
          '--describe',
          '--state',
          '--group',
          group
        ])
        if (stateLine.test(stdout)) return
        if (Date.now() > deadline) throw new Error(`${group} never had ${members} members: ${stdout}${stderr}`)
      }
    })
  }

  close(): Promise<void> {
    return this.#console.close()
  }

  #command(name: string, tool: string, args: readonly string[]): Step {
    return {
      name: `${name} ${args.join(' ')}`,
      play: async session => comparable(await this.#run(session, tool, args))
    }
  }

  async #run({ bootstrapServers }: Session, tool: string, args: readonly string[]): Promise<Printed> {
    const servers = args.includes('--validate-regex') ? [] : ['--bootstrap-server', bootstrapServers]
    return runTool(this.#console, tool, [...servers, ...args])
  }

  #execute(command: object): Promise<unknown> {
    return this.#console.execute(JSON.stringify(command))
  }
}

/** The output of a tool without random parts. */
function comparable({ stdout, stderr, code }: Printed): object {
  return { code, stdout: inOrder(masked(stdout)), stderr: withoutFrames(masked(stderr)) }
}

/** The mask of an id is as long as the id, because it determines the width of its column. */
function masked(text: string): string {
  return text
    .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, uuid => '#'.repeat(uuid.length))
    .replace(/(?<![\w.-])[\w-]{22}(?![\w-])/g, id => '#'.repeat(id.length))
    .replace(/(localhost|127\.0\.0\.1):\d+/g, '<address>')
}

/** Sorts the rows of each table, which Kafka's tools print in the order of hash tables. */
function inOrder(text: string): string[] {
  return text
    .replace(/^\n+|\n+$/g, '')
    .split(/\n{2,}/)
    .flatMap(table => {
      const [head = '', ...rows] = table.split('\n')
      return /^[A-Z]/.test(head) ? [head, ...rows.sort()] : [head, ...rows].sort()
    })
}

/** Exceptions without their stack frames. */
function withoutFrames(text: string): string[] {
  return text.split('\n').filter(line => !/^\s+(at |\.\.\. \d+ more)/.test(line))
}
