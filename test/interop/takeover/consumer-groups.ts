// Consumer groups (KIP-848) that survive a change of brokers: subscriptions by name and by regular expression, static
// members that are away, a reconciliation in progress, group configs, groups without members, and deleted groups.
import { APIS } from '../../../src/protocol/messages/index.ts'
import { arrange, call, type Step } from '../oracle/transcript.ts'
import { topic } from '../oracle/transcripts/topic.ts'
import { ConsumerMembers, type Heartbeats } from './consumer-members.ts'
import { deleted, expecting, type GroupScenario, PARTITIONS, succeeding, TIMEOUT_MS, TOPIC } from './group-scenario.ts'

const OTHER = 'read-too'
const GROUP = 32
const SET = 0

/**
 * Dynamic members and a static one. Another member joins and leaves; all commit; commits with an old epoch are refused.
 */
function named(): GroupScenario {
  const group = new ConsumerMembers('consumer-named', TOPIC)
  const three: Heartbeats = { a: {}, b: { rack: 'r1' }, c: { instance: 'C' } }
  return {
    id: group.id,
    begin: () => [...group.joinAll(three), group.settle(PARTITIONS, three), group.commit('a', 1), group.commit('c', 2)],
    resume: () => group.remain(three),
    change: phase => {
      const fourth = { [`d${phase}`]: {} }
      return [
        group.commit('a', phase * 10),
        ...group.joinAll(fourth),
        group.settle(PARTITIONS, { ...three, ...fourth }),
        group.commit(`d${phase}`, phase * 10 + 1),
        group.commit('a', phase * 100, -1),
        ...group.leaveAll(fourth),
        group.settle(PARTITIONS, three)
      ]
    }
  }
}

/** Members choose the assignor. Their subscriptions become different and equal again. */
function ranged(): GroupScenario {
  const group = new ConsumerMembers('consumer-ranged', TOPIC)
  const two: Heartbeats = { a: {}, b: {} }
  const both = { topics: [TOPIC, OTHER] }
  return {
    id: group.id,
    begin: () => [topic(OTHER), ...group.joinAll(two, { assignor: 'range' }), group.settle(PARTITIONS, two)],
    resume: () => group.remain(two),
    change: () => [
      succeeding(group.beat('b', 'reads more', both)),
      group.settle(PARTITIONS + 1, two),
      succeeding(group.beat('b', 'reads as before', { topics: [TOPIC] })),
      group.settle(PARTITIONS, two)
    ]
  }
}

/** One static member is away at each change of brokers and gets its partitions back; the other has no rebalance. */
function away(): GroupScenario {
  const group = new ConsumerMembers('consumer-away', TOPIC)
  const S = { instance: 'S' }
  const there: Heartbeats = { t: { instance: 'T' } }
  const visit = (phase: number, member = `s${phase}`): Step[] => [
    group.commit(member, phase * 10),
    ...group.leaveAll({ [member]: S }, { epoch: -2 })
  ]
  return {
    id: group.id,
    begin: () => [...group.joinAll({ s0: S, ...there }), group.settle(PARTITIONS, { s0: S, ...there }), ...visit(0)],
    resume: () => group.remain(there),
    change: phase => [
      expecting(group.join(`s${phase}`, 'is back', { timeoutMs: TIMEOUT_MS, ...S }), session => ({
        ...{ errorCode: 'NONE', memberEpoch: group.epoch(session, 't') },
        assignment: [{ topic: TOPIC }]
      })),
      ...group.remain({ [`s${phase}`]: S, ...there }),
      ...visit(phase)
    ]
  }
}

/** The broker goes down after one member was asked to revoke partitions, and before the other gets them. */
function reconciling(): GroupScenario {
  const group = new ConsumerMembers('consumer-reconciling', TOPIC)
  const first: Heartbeats = { a: {} }
  const begin = (phase: number): Step[] => [
    ...group.joinAll({ [`b${phase}`]: {} }),
    group.until('a', 'must revoke partitions', ({ assignment }) => assignment !== null, { owned: null }),
    succeeding(group.report(`b${phase}`, 'waits'))
  ]
  return {
    id: group.id,
    begin: () => [...group.joinAll(first), group.settle(PARTITIONS, first), ...begin(0)],
    resume: phase => [group.idle('a'), group.idle(`b${phase - 1}`)],
    change: phase => {
      const second: Heartbeats = { [`b${phase - 1}`]: {} }
      return [
        group.settle(PARTITIONS, { ...first, ...second }),
        ...group.leaveAll(second),
        group.settle(PARTITIONS, first),
        ...begin(phase)
      ]
    }
  }
}

/** The group's own configs apply, also after a change of brokers. */
function configured(): GroupScenario {
  const group = new ConsumerMembers('consumer-configured', TOPIC)
  const intervalOf = (phase: number) => 6000 + phase
  const set = (phase: number): Step => {
    const values = {
      'consumer.heartbeat.interval.ms': intervalOf(phase),
      'consumer.session.timeout.ms': 50_000 + phase
    }
    const configs = Object.entries(values).map(([name, value]) => ({ name, configOperation: SET, value: `${value}` }))
    const resources = [{ resourceType: GROUP, resourceName: group.id, configs }]
    return expecting(call('a group is configured', APIS.IncrementalAlterConfigs, 1, { resources }), {
      responses: [{ errorCode: 'NONE' }]
    })
  }
  const knows = (phase: number): Step =>
    group.until('a', 'knows', ({ heartbeatIntervalMs }) => heartbeatIntervalMs === intervalOf(phase), { owned: null })
  return {
    id: group.id,
    begin: () => [set(0), ...group.joinAll({ a: {} }), group.settle(PARTITIONS, { a: {} }), knows(0)],
    resume: phase => [
      ...group.remain({ a: {} }),
      expecting(group.beat('a', 'knows'), { heartbeatIntervalMs: intervalOf(phase - 1) })
    ],
    change: phase => [set(phase), knows(phase)]
  }
}

/** A topic gets partitions just before the broker goes down: the next broker detects the change. */
function growing(): GroupScenario {
  const name = 'growing'
  const group = new ConsumerMembers('consumer-growing', name)
  const grow = (count: number): Step =>
    arrange(`${name} has ${count} partitions`, session =>
      session.sendRequest(APIS.CreatePartitions, 3, { topics: [{ name, count }], timeoutMs: 30_000 })
    )
  return {
    id: group.id,
    begin: () => [topic(name), ...group.joinAll({ a: {} }), group.settle(1, { a: {} })],
    resume: () => [],
    change: phase => [group.settle(phase + 1, { a: {} })],
    unfinished: phase => [grow(phase + 2)]
  }
}

/** A regular expression matches the same topics in each broker. */
function matching(): GroupScenario {
  const group = new ConsumerMembers('consumer-matching')
  const two: Heartbeats = { a: {}, b: {} }
  return {
    id: group.id,
    begin: () => [
      ...group.joinAll({ a: { regex: 'read(-too)?' } }),
      ...group.joinAll({ b: { topics: [TOPIC] } }),
      group.settle(PARTITIONS + 1, two),
      group.commit('a', 1)
    ],
    resume: () => group.remain(two),
    change: phase => [group.commit('b', phase * 10)]
  }
}

/** A topic that a regular expression matches is created just before the broker goes down: the next broker finds it. */
function finding(): GroupScenario {
  const group = new ConsumerMembers('consumer-finding')
  const make = (phase: number): Step => topic(`found-${phase}`)
  return {
    id: group.id,
    begin: () => [make(0), ...group.joinAll({ a: { regex: 'found-[0-9]+' } }), group.settle(1, { a: {} })],
    resume: () => [],
    change: phase => [group.settle(phase + 1, { a: {} })],
    unfinished: phase => [make(phase + 1)]
  }
}

/** In every phase a member joins, commits and leaves. The group then has only its offsets, or is deleted. */
function left(id: string, end: readonly Step[]): GroupScenario {
  const group = new ConsumerMembers(id, TOPIC)
  const visit = (phase: number): Step[] => {
    const members: Heartbeats = { [`a${phase}`]: {} }
    return [
      ...group.joinAll(members),
      group.settle(PARTITIONS, members),
      group.commit(`a${phase}`, phase * 10),
      ...group.leaveAll(members),
      ...end
    ]
  }
  return { id, begin: () => visit(0), resume: () => [], change: visit }
}

/** All consumer groups. The last one waits: expressions are evaluated again after ten seconds at the earliest. */
export function consumerGroups(): readonly GroupScenario[] {
  const doomed = 'consumer-deleted'
  return [
    ...[named(), ranged(), away(), reconciling(), configured(), growing(), matching()],
    ...[left('consumer-empty', []), left(doomed, [deleted(doomed)]), finding()]
  ]
}
