// Apache Kafka's own command line tools (kafka-consumer-groups, kafka-groups, kafka-configs) and its consumers, in one Java
// process that all brokers of a test share. What the tools print is made comparable: ids and ports that are chance get
// names, rows of tables an order.
import type { JavaConsole } from '../java/console.ts'
import type { Session } from '../oracle/session.ts'
import { arrange, type Step } from '../oracle/transcript.ts'
import { type Printed, runTool, startTools, toolJars } from './tool-console.ts'

const CONSUMER_GROUPS = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand'
const GROUPS = 'org.apache.kafka.tools.GroupsCommand'
const CONFIGS = 'kafka.admin.ConfigCommand'
const SETTLE_LIMIT_MS = 120_000
/** How soon Java's consumers of classic groups learn of a rebalance. */
const HEARTBEAT_MS = 200

/** A consumer: what it subscribes to (topics, Java's pattern, or RE2's expression, which the broker reads), and settings. */
export interface Consumer {
  readonly topics?: readonly string[]
  readonly pattern?: string
  readonly regex?: string
  readonly settings?: Readonly<Record<string, string>>
}

/** The Java process; its methods make steps that are played against one broker or the other. */
export class Tools {
  readonly #console: JavaConsole

  private constructor(console: JavaConsole) {
    this.#console = console
  }

  /** `jars` is the folder with the tools: those of kafka-configs are a broker's own. */
  static async start(jars = toolJars()): Promise<Tools> {
    return new Tools(startTools(await jars))
  }

  /** A kafka-consumer-groups command, and what it prints. */
  consumerGroups(...args: readonly string[]): Step {
    return this.#command('kafka-consumer-groups', CONSUMER_GROUPS, args)
  }

  /** A kafka-groups command, and what it prints. */
  groups(...args: readonly string[]): Step {
    return this.#command('kafka-groups', GROUPS, args)
  }

  /** A kafka-configs command, and what it prints. */
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
      return this.#ask({ do: 'join', name: `${member} ${bootstrapServers}`, topics, pattern, regex, settings: all })
    })
  }

  /** A consumer reads all that its partitions hold, and commits. */
  read(member: string): Step {
    return arrange(`${member} reads and commits`, ({ bootstrapServers }) =>
      this.#ask({ do: 'read', name: `${member} ${bootstrapServers}` })
    )
  }

  leave(member: string): Step {
    return arrange(`${member} leaves`, ({ bootstrapServers }) =>
      this.#ask({ do: 'leave', name: `${member} ${bootstrapServers}` })
    )
  }

  /** Waits until a group is stable with so many members; with none, until it is empty. */
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

  #ask(order: object): Promise<unknown> {
    return this.#console.ask(JSON.stringify(order))
  }
}

/** What a tool printed without what is chance. */
function comparable({ stdout, stderr, code }: Printed): object {
  return { code, stdout: inOrder(masked(stdout)), stderr: withoutFrames(masked(stderr)) }
}

/** Random ids keep their length: columns are as wide as what is in them. */
function masked(text: string): string {
  return text
    .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, uuid => '#'.repeat(uuid.length))
    .replace(/(?<![\w.-])[\w-]{22}(?![\w-])/g, id => '#'.repeat(id.length))
    .replace(/(localhost|127\.0\.0\.1):\d+/g, '<address>')
}

/** Rows of each table by what they say: Kafka's tools list hash tables. */
function inOrder(text: string): string[] {
  return text
    .replace(/^\n+|\n+$/g, '')
    .split(/\n{2,}/)
    .flatMap(table => {
      const [head = '', ...rows] = table.split('\n')
      return /^[A-Z]/.test(head) ? [head, ...rows.sort()] : [head, ...rows].sort()
    })
}

/** Of stack traces what went wrong, not where. */
function withoutFrames(text: string): string[] {
  return text.split('\n').filter(line => !/^\s+(at |\.\.\. \d+ more)/.test(line))
}
