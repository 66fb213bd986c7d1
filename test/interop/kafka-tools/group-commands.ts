// Command lines of Kafka's group tools, for scenarios.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Step } from '../oracle/transcript.ts'
import type { Tools } from './consumer-groups.ts'

const LISTS = ['', '--state', '--type', '--state --type', '--state Empty', '--state stable,empty', '--type classic']
const SPARSE_LISTS = ['--state Dead', '--type consumer', '--state Stable --type classic,consumer']
const KINDS = ['', '--consumer', '--share', '--streams', '--group-type classic', '--group-type consumer']
const PROTOCOLS = ['--protocol consumer', '--group-type classic --protocol connect', '--protocol nothing']
const VIEWS = ['', '--offsets --verbose', '--members', '--members --verbose', '--state', '--state --verbose']

/** Steps from command lines as a user types them. */
export class Commands {
  readonly #tools: Tools
  readonly #files: string

  constructor(tools: Tools, files: string) {
    this.#tools = tools
    this.#files = files
  }

  /** kafka-consumer-groups */
  groups(line: string): Step {
    return this.#tools.consumerGroups(...words(line))
  }

  /** kafka-groups */
  lists(line: string): Step {
    return this.#tools.groups(...words(line))
  }

  everyList(): Step[] {
    return [
      ...[...LISTS, ...SPARSE_LISTS].map(filter => this.groups(`--list ${filter}`)),
      ...[...KINDS, ...PROTOCOLS].map(filter => this.lists(`--list ${filter}`))
    ]
  }

  /** All kinds of descriptions of a group. */
  described(group: string): Step[] {
    return VIEWS.map(view => this.groups(`--describe --group ${group} ${view}`))
  }

  /** Writes a file for --reset-offsets --from-file; returns its path. */
  plan(name: string, ...lines: readonly string[]): string {
    const path = join(this.#files, name)
    writeFileSync(path, lines.map(line => `${line}\n`).join(''))
    return `--from-file ${path}`
  }
}

function words(line: string): string[] {
  return line.split(' ').filter(word => word !== '')
}
