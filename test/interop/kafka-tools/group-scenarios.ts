// What is done to groups with Kafka's command line tools, in steps that are played against ours and against a real Kafka.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { APIS } from '../../../src/protocol/messages/index.ts'
import { arrange, type Step } from '../oracle/transcript.ts'
import { Group } from '../oracle/transcripts/group.ts'
import type { Consumer, Tools } from './consumer-groups.ts'

const { DeleteTopics, OffsetFetch } = APIS
const CLASSIC = {}
const CONSUMER = { 'group.protocol': 'consumer' }
/** Members that are played by hand do not beat. */
const PATIENT = { sessionTimeoutMs: 300_000, rebalanceTimeoutMs: 300_000 }
const LISTS = ['', '--state', '--type', '--state --type', '--state Empty', '--state stable,empty', '--type classic']
const SPARSE_LISTS = ['--state Dead', '--type consumer', '--state Stable --type classic,consumer']
const KINDS = ['', '--consumer', '--share', '--streams', '--group-type classic', '--group-type consumer']
const PROTOCOLS = ['--protocol consumer', '--group-type classic --protocol connect', '--protocol nothing']
const VIEWS = ['', '--offsets --verbose', '--members', '--members --verbose', '--state', '--state --verbose']

/** Scenarios by name; `files` is a folder for the plans that offsets are reset by. */
export function groupScenarios(tools: Tools, files: string): Readonly<Record<string, readonly Step[]>> {
  const run = new Commands(tools, files)
  return {
    'no groups': noGroups(run),
    'wrong commands': wrongCommands(run),
    'offsets of a group without members': [...byPosition(run), ...byTime(run), ...byFile(run), ...deletions(run)],
    'offsets of a topic that goes': deletedTopic(run),
    'a classic group amid a rebalance': rebalance(run),
    'a group that is not of consumers': workers(run),
    'a classic group': life(run, tools, 'readers', CLASSIC)
  }
}

/** Scenarios with groups of the newer protocol (KIP-848). */
export function consumerProtocolScenarios(tools: Tools, files: string): Readonly<Record<string, readonly Step[]>> {
  const run = new Commands(tools, files)
  return {
    'a consumer group': life(run, tools, 'modern', CONSUMER),
    'a subscription by an expression': expression(run, tools),
    'a group that changes its protocol': upgrade(run, tools),
    'all groups go': [run.groups('--delete --all-groups'), ...run.everyList()]
  }
}

/** Command lines as one types them. */
class Commands {
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

  /** A group in every way in which it can be described. */
  described(group: string): Step[] {
    return VIEWS.map(view => this.groups(`--describe --group ${group} ${view}`))
  }

  /** A plan of offsets that is read from a file. */
  plan(name: string, ...lines: readonly string[]): string {
    const path = join(this.#files, name)
    writeFileSync(path, lines.map(line => `${line}\n`).join(''))
    return `--from-file ${path}`
  }
}

function words(line: string): string[] {
  return line.split(' ').filter(word => word !== '')
}

function noGroups(run: Commands): Step[] {
  return [
    ...run.everyList(),
    run.groups('--describe --all-groups'),
    run.groups('--describe --all-groups --state'),
    ...run.described('unknown'),
    run.groups('--delete --group unknown'),
    run.groups('--delete --group unknown --group other'),
    run.groups('--delete-offsets --group unknown --topic orders'),
    run.groups('--reset-offsets --group unknown --all-topics --to-earliest --dry-run')
  ]
}

function wrongCommands(run: Commands): Step[] {
  return [
    run.groups(''),
    run.groups('--list --describe'),
    run.groups('--describe'),
    run.groups('--describe --group a --members --state'),
    run.groups('--describe --group a --state stable'),
    run.groups('--describe --group a --all-groups'),
    run.groups('--delete'),
    run.groups('--delete --group a --topic orders'),
    run.groups('--delete-offsets --group a'),
    run.groups('--members'),
    run.groups('--list --state hungry'),
    run.groups('--list --type share'),
    run.groups('--reset-offsets --group a --to-latest --dry-run'),
    run.groups('--reset-offsets --group a --topic orders --dry-run'),
    run.groups('--reset-offsets --group a --topic orders --to-latest --to-earliest'),
    run.groups('--reset-offsets --group a --topic orders --to-latest --dry-run --execute'),
    run.groups('--reset-offsets --to-latest --topic orders'),
    run.groups('--nonsense'),
    run.groups('--validate-regex a.*b'),
    run.groups('--validate-regex a(b'),
    run.lists('--group-type classic'),
    run.lists('--list --group-type wild'),
    run.lists('--list --consumer --share')
  ]
}

function byPosition(run: Commands): Step[] {
  const reset = (rest: string) => run.groups(`--reset-offsets --group reset ${rest}`)
  return [
    reset('--topic orders --to-current'),
    reset('--topic orders --to-latest --dry-run'),
    reset('--topic orders --shift-by 1 --dry-run'),
    reset('--topic nothing --to-latest --dry-run'),
    reset('--topic orders:7 --to-latest --dry-run'),
    reset('--topic orders:x --to-latest --dry-run'),
    ...run.described('reset'),
    reset('--topic orders --to-latest --execute'),
    ...run.described('reset'),
    reset('--topic orders:0,1 --to-earliest --execute'),
    reset('--topic trimmed --to-earliest --execute'),
    reset('--topic trimmed --topic orders:1 --to-offset 4 --execute'),
    run.groups('--describe --group reset'),
    reset('--topic trimmed --to-offset 1 --dry-run'),
    reset('--topic trimmed --to-offset 999 --dry-run'),
    reset('--all-topics --shift-by 2 --execute'),
    reset('--all-topics --shift-by -1 --execute'),
    reset('--all-topics --shift-by -99 --dry-run'),
    reset('--all-topics --to-current --dry-run')
  ]
}

function byTime(run: Commands): Step[] {
  const reset = (rest: string) => run.groups(`--reset-offsets --group reset ${rest}`)
  return [
    reset('--topic recent --to-current --execute'),
    reset('--topic recent --by-duration P2DT12H --execute'),
    reset('--topic recent --by-duration PT1H --dry-run'),
    reset('--topic recent --by-duration P99D --dry-run'),
    reset('--topic recent --by-duration tomorrow --dry-run'),
    reset('--topic orders --to-datetime 2024-01-01T03:30:00.000 --execute'),
    reset('--topic orders --to-datetime 2024-01-01T03:00:00.000+02:00 --dry-run'),
    reset('--topic orders --to-datetime 2020-01-01T00:00:00.000Z --dry-run'),
    reset('--topic orders --to-datetime 2044-01-01T00:00:00.000 --dry-run'),
    reset('--topic orders --to-datetime yesterday --dry-run'),
    ...run.described('reset')
  ]
}

function byFile(run: Commands): Step[] {
  const reset = (rest: string) => run.groups(`--reset-offsets --group reset ${rest}`)
  const ofGroups = run.plan('plan-of-groups', 'reset,orders,0,1', 'other,orders,0,3')
  return [
    reset('--all-topics --to-current --export --dry-run'),
    reset(`${run.plan('plan', 'orders,0,2', 'orders,1,999', 'trimmed,0,0')} --dry-run`),
    reset(`${run.plan('plan-done', 'orders,0,2', 'trimmed,0,5')} --execute`),
    reset(`${ofGroups} --dry-run`),
    reset(`${run.plan('plan-of-others', 'other,orders,0,3')} --dry-run`),
    reset(`${run.plan('plan-of-nothing', 'nothing,0,3')} --dry-run`),
    reset(`${run.plan('plan-wrong', 'orders')} --dry-run`),
    reset('--from-file /there/is/no/plan --dry-run'),
    run.groups(`--reset-offsets --group reset --group other ${ofGroups} --execute`),
    run.groups('--reset-offsets --group reset --group other --all-topics --to-current --export --dry-run'),
    run.groups('--reset-offsets --all-groups --all-topics --to-earliest --dry-run'),
    run.groups('--describe --all-groups'),
    run.groups('--describe --group reset --group other --state'),
    run.groups('--describe --group reset --group unknown'),
    ...run.everyList()
  ]
}

function deletions(run: Commands): Step[] {
  const remove = (topics: string) => run.groups(`--delete-offsets --group reset ${topics}`)
  return [
    remove('--topic orders:0'),
    remove('--topic orders'),
    remove('--topic nothing'),
    remove('--topic nothing:0 --topic recent'),
    remove('--topic trimmed:0'),
    run.groups('--describe --group reset'),
    run.groups('--list --state --type'),
    run.groups('--delete --group other --group unknown'),
    run.groups('--delete --group reset'),
    run.groups('--list --state --type')
  ]
}

function deletedTopic(run: Commands): Step[] {
  const topics = [{ name: 'doomed', partitionIndexes: [0] }]
  return [
    run.groups('--reset-offsets --group left --topic doomed --topic orders:0 --to-latest --execute'),
    run.groups('--reset-offsets --group lost --topic doomed --to-latest --execute'),
    arrange('the topic goes, and the offsets with it', async session => {
      await session.ask(DeleteTopics, 5, { topicNames: ['doomed'], timeoutMs: 30_000 })
      const gone = (groupId: string) =>
        session.askUntil(
          OffsetFetch,
          8,
          { groups: [{ groupId, topics }] },
          ({ groups: [group] }) =>
            group?.topics[0]?.partitions.every(({ committedOffset }) => committedOffset === -1n) ?? false
        )
      await gone('left')
      await gone('lost')
    }),
    ...run.described('left'),
    ...run.described('lost'),
    run.groups('--list --state --type'),
    run.groups('--delete --group left'),
    run.groups('--delete --group lost'),
    ...run.described('lost')
  ]
}

function rebalance(run: Commands): Step[] {
  const group = new Group('half')
  const comer = group.joinParked('b', 'joins', PATIENT)
  const seen = () => [
    ...run.described('half'),
    ...['', 'preparingrebalance', 'completingrebalance', 'stable'].map(state => run.groups(`--list --state ${state}`)),
    run.groups('--reset-offsets --group half --topic orders --to-latest --execute'),
    run.groups('--delete-offsets --group half --topic orders'),
    run.groups('--delete --group half')
  ]
  return [
    group.found(),
    ...group.enter('a', PATIENT),
    ...seen(),
    group.sync('a', 'assigns'),
    ...seen(),
    group.newcomer('b', PATIENT),
    comer.sent,
    group.rebalancing('a'),
    ...seen(),
    group.join('a', 'joins again', PATIENT),
    comer.answer,
    group.leave('both leave', 'a', 'b'),
    ...seen()
  ]
}

function workers(run: Commands): Step[] {
  const group = new Group('workers')
  const asked = { ...PATIENT, protocolType: 'connect', protocols: { compatible: 'a' } }
  const seen = () => [
    ...run.everyList(),
    ...run.described('workers'),
    run.groups('--reset-offsets --group workers --topic orders --to-latest --execute'),
    run.groups('--delete-offsets --group workers --topic orders'),
    run.groups('--delete --group workers')
  ]
  return [
    group.found(),
    ...group.enter('a', asked),
    group.sync('a', 'assigns', { protocolType: 'connect', protocolName: 'compatible', assignments: { a: 'all' } }),
    ...seen(),
    group.leave('leaves', 'a'),
    ...seen()
  ]
}

/** A group whose members come, read and go, by the one protocol or the other. */
function life(run: Commands, tools: Tools, group: string, settings: Readonly<Record<string, string>>): Step[] {
  const [a, b, c] = [`${group}-a`, `${group}-b`, `${group}-c`]
  const orders: Consumer = { topics: ['orders'], settings }
  const others: Consumer = { topics: ['recent', 'trimmed'], settings: { ...settings, 'group.instance.id': 'third' } }
  return [
    tools.join(group, a, orders),
    tools.settled(group, 1),
    ...run.described(group),
    tools.read(a),
    ...run.described(group),
    tools.join(group, b, orders),
    tools.settled(group, 2),
    tools.join(group, c, others),
    tools.settled(group, 3),
    tools.read(c),
    ...run.described(group),
    ...run.everyList(),
    run.groups('--describe --all-groups'),
    run.groups('--describe --all-groups --members'),
    run.groups(`--reset-offsets --group ${group} --topic orders --to-earliest --execute`),
    run.groups(`--reset-offsets --group ${group} --group other --all-topics --to-earliest --dry-run`),
    run.groups(`--delete --group ${group}`),
    run.groups(`--delete --group ${group} --group unknown`),
    run.groups(`--delete-offsets --group ${group} --topic orders`),
    run.groups(`--delete-offsets --group ${group} --topic orders:0 --topic unread:0`),
    tools.leave(a),
    tools.leave(b),
    tools.settled(group, 1),
    ...run.described(group),
    tools.leave(c),
    ...run.described(group),
    new Group(group).leave('an admin removes the static member', { instance: 'third' }),
    ...run.described(group),
    ...run.everyList()
  ]
}

function expression(run: Commands, tools: Tools): Step[] {
  return [
    tools.join('matching', 'm', { regex: 'r.*|trim+ed', settings: CONSUMER }),
    tools.settled('matching', 1),
    tools.read('m'),
    ...run.described('matching'),
    run.groups('--delete-offsets --group matching --topic recent'),
    run.groups('--delete-offsets --group matching --topic orders:0'),
    tools.leave('m'),
    tools.settled('matching', 0),
    ...run.described('matching')
  ]
}

/** From the classic protocol to the newer one, a member at a time, and back. */
function upgrade(run: Commands, tools: Tools): Step[] {
  const seen = (members: number) => [
    tools.settled('moving', members),
    ...run.described('moving'),
    run.groups('--list --state --type'),
    run.lists('--list --group-type consumer')
  ]
  const join = (who: string, settings: Readonly<Record<string, string>>, members: number) => [
    tools.join('moving', who, { topics: ['orders'], settings }),
    ...seen(members)
  ]
  const leave = (who: string, members: number) => [tools.leave(who), ...seen(members)]
  return [
    ...join('old-1', CLASSIC, 1),
    tools.read('old-1'),
    ...join('new-1', CONSUMER, 2),
    ...leave('old-1', 1),
    ...join('old-2', CLASSIC, 2),
    ...leave('new-1', 1),
    ...leave('old-2', 0),
    ...join('new-2', CONSUMER, 1),
    ...leave('new-2', 0),
    ...join('old-3', CLASSIC, 1),
    ...leave('old-3', 0)
  ]
}
