// Groups with members, of the classic protocol and of the consumer protocol (KIP-848), as Kafka's tools show them.
import { APIS } from '../../../src/protocol/messages/index.ts'
import { arrange, type Step } from '../oracle/transcript.ts'
import { Group } from '../oracle/transcripts/group.ts'
import { topicId } from '../oracle/transcripts/topic.ts'
import type { Consumer, Tools } from './consumer-groups.ts'
import type { Commands } from './group-commands.ts'

const { ConsumerGroupHeartbeat, IncrementalAlterConfigs } = APIS
const CLASSIC = {}
const CONSUMER = { 'group.protocol': 'consumer' }
/** Long timeouts for members without a heartbeat thread. */
const PATIENT = { sessionTimeoutMs: 300_000, rebalanceTimeoutMs: 300_000 }
const GROUP_RESOURCE = 32

/** Scenarios by name. `restart` restarts the broker on its data directory. */
export function memberScenarios(run: Commands, tools: Tools, restart: Step): Readonly<Record<string, readonly Step[]>> {
  return {
    'a classic group during a rebalance': rebalance(run),
    'a group that is not of consumers': workers(run),
    'a classic group': life(run, tools, 'readers', CLASSIC),
    'a consumer group': life(run, tools, 'modern', CONSUMER),
    'a consumer group during a reconciliation': reconciliation(run),
    'a consumer group that waits for its assignment': assigning(run),
    'a subscription by an expression': expression(run, tools),
    'a group that changes its protocol': upgrade(run, tools),
    'a broker that is started again': restarted(run, restart),
    'all groups go': [run.groups('--delete --all-groups'), ...run.everyList()]
  }
}

function rebalance(run: Commands): Step[] {
  const group = new Group('half')
  const comer = group.delayedJoin('b', 'joins', PATIENT)
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

/** A group whose members join, consume and leave, with either protocol. */
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

function reconciliation(run: Commands): Step[] {
  const [a, b] = [new Beating('slow', 'hand-a'), new Beating('slow', 'hand-b')]
  const seen = () => [
    ...run.described('slow'),
    ...['', 'reconciling', 'stable'].map(state => run.groups(`--list --state ${state}`)),
    run.groups('--reset-offsets --group slow --topic orders --to-latest --execute'),
    run.groups('--delete-offsets --group slow --topic orders'),
    run.groups('--delete --group slow')
  ]
  return [
    new Group('slow').found(),
    a.beats('joins', 0, 2),
    ...seen(),
    b.beats('joins', 0, 3),
    ...seen(),
    a.beats('must revoke one partition', 2, 2, [0, 1, 2]),
    ...seen(),
    a.beats('gives it up', 2, 3, [0, 1]),
    ...seen(),
    b.beats('has it', 3, 3),
    ...seen(),
    a.beats('leaves', -1, -1),
    b.beats('leaves', -1, -1),
    ...seen()
  ]
}

/** A long assignment interval: a second member waits for its assignment during the commands. */
function assigning(run: Commands): Step[] {
  const [a, b] = [new Beating('waiting', 'hand-a'), new Beating('waiting', 'hand-b')]
  const configs = [{ name: 'consumer.assignment.interval.ms', configOperation: 0, value: '15000' }]
  return [
    new Group('waiting').found(),
    arrange('assignments are seldom', session =>
      session.sendRequest(IncrementalAlterConfigs, 1, {
        resources: [{ resourceType: GROUP_RESOURCE, resourceName: 'waiting', configs }]
      })
    ),
    a.beats('joins', 0, 2),
    b.beats('joins', 0, 2),
    run.groups('--describe --group waiting --state --verbose'),
    run.groups('--describe --group waiting --members --verbose'),
    run.groups('--list --state assigning'),
    run.groups('--delete --group waiting'),
    a.beats('leaves', -1, -1),
    b.beats('leaves', -1, -1),
    ...run.described('waiting'),
    run.groups('--delete --group waiting')
  ]
}

/** Groups of all kinds, one of them during a reconciliation, survive a restart and continue. */
function restarted(run: Commands, restart: Step): Step[] {
  const names = ['kept', 'kept-old', 'kept-new']
  const old = new Group('kept-old')
  const [a, b] = [new Beating('kept-new', 'hand-a'), new Beating('kept-new', 'hand-b')]
  const seen = () => [...names.flatMap(name => run.described(name)), ...run.everyList()]
  return [
    ...names.map(name => new Group(name).found()),
    run.groups('--reset-offsets --group kept --topic orders --to-offset 4 --execute'),
    ...old.enter('a', PATIENT),
    old.sync('a', 'assigns'),
    a.beats('joins', 0, 2),
    b.beats('joins', 0, 3),
    ...seen(),
    restart,
    ...names.map(name => new Group(name).found()),
    ...seen(),
    old.heartbeat('a', 'is alive'),
    a.beats('must revoke one partition', 2, 2, [0, 1, 2]),
    a.beats('gives it up', 2, 3, [0, 1]),
    b.beats('has it', 3, 3),
    ...seen(),
    old.leave('leaves', 'a'),
    a.beats('leaves', -1, -1),
    b.beats('leaves', -1, -1),
    restart,
    ...names.map(name => new Group(name).found()),
    ...seen()
  ]
}

/** A member of a consumer group whose heartbeats the test sends; it subscribes to `orders`. */
class Beating {
  readonly #groupId: string
  readonly #memberId: string

  constructor(groupId: string, memberId: string) {
    this.#groupId = groupId
    this.#memberId = memberId
  }

  /** Sends heartbeats with epoch `from` and the owned partitions until the response has epoch `to`. */
  beats(name: string, from: number, to: number, partitions: readonly number[] = []): Step {
    return arrange(`${this.#memberId} ${name}`, async session => {
      const owned = partitions.length === 0 ? [] : [{ topicId: await topicId(session, 'orders'), partitions }]
      const first = { rebalanceTimeoutMs: 300_000, subscribedTopicNames: ['orders'] }
      const beat = {
        groupId: this.#groupId,
        memberId: this.#memberId,
        memberEpoch: from,
        ...{ instanceId: null, rackId: null, subscribedTopicRegex: null, serverAssignor: null },
        ...(from === 0 ? first : {}),
        topicPartitions: owned
      }
      await session.requestUntil(ConsumerGroupHeartbeat, 1, beat, ({ memberEpoch }) => memberEpoch === to)
    })
  }
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

/** Migration of a group from the classic to the consumer protocol, a member at a time, and back. */
function upgrade(run: Commands, tools: Tools): Step[] {
  const seen = (members: number) => [
    tools.settled('moving', members),
    ...run.described('moving'),
    run.groups('--list --state --type'),
    run.lists('--list --group-type consumer')
  ]
  const join = (member: string, settings: Readonly<Record<string, string>>, members: number) => [
    tools.join('moving', member, { topics: ['orders'], settings }),
    ...seen(members)
  ]
  const leave = (member: string, members: number) => [tools.leave(member), ...seen(members)]
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
