// Consumer groups (KIP-848) that survive a change of brokers: subscriptions by name and by regular expression, static
// members that are away, a reconciliation in progress, group configs, groups without members, and deleted groups.
import { APIS } from '../../../src/protocol/messages/index.ts'
import { arrange, call, type Step } from '../oracle/transcript.ts'
import { topic } from '../oracle/transcripts/topic.ts'
import { deleted, PARTITIONS, type Tale, TIMEOUT_MS, TOPIC, thus, well } from './tale.ts'
import { Tribe, type Tribesmen } from './tribe.ts'

const OTHER = 'read-too'
const GROUP = 32
const SET = 0

/**
 * Dynamic members and a static one. Another member joins and leaves; all commit; commits with an old epoch are refused.
 */
function named(): Tale {
  const tribe = new Tribe('consumer-named', TOPIC)
  const three: Tribesmen = { a: {}, b: { rack: 'r1' }, c: { instance: 'C' } }
  return {
    id: tribe.id,
    begin: () => [...tribe.come(three), tribe.settle(PARTITIONS, three), tribe.commit('a', 1), tribe.commit('c', 2)],
    goOn: () => tribe.remain(three),
    change: life => {
      const fourth = { [`d${life}`]: {} }
      return [
        tribe.commit('a', life * 10),
        ...tribe.come(fourth),
        tribe.settle(PARTITIONS, { ...three, ...fourth }),
        tribe.commit(`d${life}`, life * 10 + 1),
        tribe.commit('a', life * 100, -1),
        ...tribe.go(fourth),
        tribe.settle(PARTITIONS, three)
      ]
    }
  }
}

/** Members choose the assignor. Their subscriptions become different and equal again. */
function ranged(): Tale {
  const tribe = new Tribe('consumer-ranged', TOPIC)
  const two: Tribesmen = { a: {}, b: {} }
  const both = { topics: [TOPIC, OTHER] }
  return {
    id: tribe.id,
    begin: () => [topic(OTHER), ...tribe.come(two, { assignor: 'range' }), tribe.settle(PARTITIONS, two)],
    goOn: () => tribe.remain(two),
    change: () => [
      well(tribe.beat('b', 'reads more', both)),
      tribe.settle(PARTITIONS + 1, two),
      well(tribe.beat('b', 'reads as before', { topics: [TOPIC] })),
      tribe.settle(PARTITIONS, two)
    ]
  }
}

/** One static member is away at each change of brokers and gets its partitions back; the other has no rebalance. */
function away(): Tale {
  const tribe = new Tribe('consumer-away', TOPIC)
  const S = { instance: 'S' }
  const there: Tribesmen = { t: { instance: 'T' } }
  const visit = (life: number, member = `s${life}`): Step[] => [
    tribe.commit(member, life * 10),
    ...tribe.go({ [member]: S }, { epoch: -2 })
  ]
  return {
    id: tribe.id,
    begin: () => [...tribe.come({ s0: S, ...there }), tribe.settle(PARTITIONS, { s0: S, ...there }), ...visit(0)],
    goOn: () => tribe.remain(there),
    change: life => [
      thus(tribe.join(`s${life}`, 'is back', { timeoutMs: TIMEOUT_MS, ...S }), session => ({
        ...{ errorCode: 'NONE', memberEpoch: tribe.epoch(session, 't') },
        assignment: [{ topic: TOPIC }]
      })),
      ...tribe.remain({ [`s${life}`]: S, ...there }),
      ...visit(life)
    ]
  }
}

/** The broker goes down after one member was asked to revoke partitions, and before the other gets them. */
function reconciling(): Tale {
  const tribe = new Tribe('consumer-reconciling', TOPIC)
  const first: Tribesmen = { a: {} }
  const begin = (life: number): Step[] => [
    ...tribe.come({ [`b${life}`]: {} }),
    tribe.until('a', 'is told to give something up', ({ assignment }) => assignment !== null, { owned: null }),
    well(tribe.report(`b${life}`, 'waits'))
  ]
  return {
    id: tribe.id,
    begin: () => [...tribe.come(first), tribe.settle(PARTITIONS, first), ...begin(0)],
    goOn: life => [tribe.idle('a'), tribe.idle(`b${life - 1}`)],
    change: life => {
      const second: Tribesmen = { [`b${life - 1}`]: {} }
      return [
        tribe.settle(PARTITIONS, { ...first, ...second }),
        ...tribe.go(second),
        tribe.settle(PARTITIONS, first),
        ...begin(life)
      ]
    }
  }
}

/** The group's own configs apply, also after a change of brokers. */
function configured(): Tale {
  const tribe = new Tribe('consumer-configured', TOPIC)
  const intervalOf = (life: number) => 6000 + life
  const set = (life: number): Step => {
    const values = { 'consumer.heartbeat.interval.ms': intervalOf(life), 'consumer.session.timeout.ms': 50_000 + life }
    const configs = Object.entries(values).map(([name, value]) => ({ name, configOperation: SET, value: `${value}` }))
    const resources = [{ resourceType: GROUP, resourceName: tribe.id, configs }]
    return thus(call('a group is configured', APIS.IncrementalAlterConfigs, 1, { resources }), {
      responses: [{ errorCode: 'NONE' }]
    })
  }
  const knows = (life: number): Step =>
    tribe.until('a', 'knows', ({ heartbeatIntervalMs }) => heartbeatIntervalMs === intervalOf(life), { owned: null })
  return {
    id: tribe.id,
    begin: () => [set(0), ...tribe.come({ a: {} }), tribe.settle(PARTITIONS, { a: {} }), knows(0)],
    goOn: life => [
      ...tribe.remain({ a: {} }),
      thus(tribe.beat('a', 'knows'), { heartbeatIntervalMs: intervalOf(life - 1) })
    ],
    change: life => [set(life), knows(life)]
  }
}

/** A topic gets partitions just before the broker goes down: the next broker detects the change. */
function growing(): Tale {
  const name = 'growing'
  const tribe = new Tribe('consumer-growing', name)
  const grow = (count: number): Step =>
    arrange(`${name} has ${count} partitions`, session =>
      session.ask(APIS.CreatePartitions, 3, { topics: [{ name, count }], timeoutMs: 30_000 })
    )
  return {
    id: tribe.id,
    begin: () => [topic(name), ...tribe.come({ a: {} }), tribe.settle(1, { a: {} })],
    goOn: () => [],
    change: life => [tribe.settle(life + 1, { a: {} })],
    unfinished: life => [grow(life + 2)]
  }
}

/** A regular expression matches the same topics in each broker. */
function matching(): Tale {
  const tribe = new Tribe('consumer-matching')
  const two: Tribesmen = { a: {}, b: {} }
  return {
    id: tribe.id,
    begin: () => [
      ...tribe.come({ a: { regex: 'read(-too)?' } }),
      ...tribe.come({ b: { topics: [TOPIC] } }),
      tribe.settle(PARTITIONS + 1, two),
      tribe.commit('a', 1)
    ],
    goOn: () => tribe.remain(two),
    change: life => [tribe.commit('b', life * 10)]
  }
}

/** A topic that a regular expression matches is created just before the broker goes down: the next broker finds it. */
function finding(): Tale {
  const tribe = new Tribe('consumer-finding')
  const make = (life: number): Step => topic(`found-${life}`)
  return {
    id: tribe.id,
    begin: () => [make(0), ...tribe.come({ a: { regex: 'found-[0-9]+' } }), tribe.settle(1, { a: {} })],
    goOn: () => [],
    change: life => [tribe.settle(life + 1, { a: {} })],
    unfinished: life => [make(life + 1)]
  }
}

/** In every phase a member joins, commits and leaves. The group then has only its offsets, or is deleted. */
function left(id: string, end: readonly Step[]): Tale {
  const tribe = new Tribe(id, TOPIC)
  const visit = (life: number): Step[] => {
    const members: Tribesmen = { [`a${life}`]: {} }
    return [
      ...tribe.come(members),
      tribe.settle(PARTITIONS, members),
      tribe.commit(`a${life}`, life * 10),
      ...tribe.go(members),
      ...end
    ]
  }
  return { id, begin: () => visit(0), goOn: () => [], change: visit }
}

/** All consumer groups. The last one waits: expressions are evaluated again after ten seconds at the earliest. */
export function consumerTales(): readonly Tale[] {
  const doomed = 'consumer-deleted'
  return [
    ...[named(), ranged(), away(), reconciling(), configured(), growing(), matching()],
    ...[left('consumer-empty', []), left(doomed, [deleted(doomed)]), finding()]
  ]
}
