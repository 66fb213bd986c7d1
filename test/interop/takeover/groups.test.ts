// Groups of both kinds on a data directory that minikafka, a real Kafka and minikafka serve in turn, or the other way
// round. Each broker finds the groups as they were, members keep their assignments, and no new assignment is computed.
import { expect, onTestFailed, test } from 'vitest'
import { APIS } from '../../../src/protocol/messages/index.ts'
import { freePorts } from '../kafka/kafka.ts'
import { dumpLog } from '../kafka-tools/dump-log-segments.ts'
import { expectSameDump, filesOf } from '../kafka-tools/same-dumps.ts'
import { Session } from '../oracle/session.ts'
import { call, type Step } from '../oracle/transcript.ts'
import { Group } from '../oracle/transcripts/group.ts'
import { topic } from '../oracle/transcripts/topic.ts'
import { warningsOf } from './broker-run.ts'
import { classicGroups } from './classic-groups.ts'
import { consumerGroups } from './consumer-groups.ts'
import { dataDirectoryOfEachTest, SUCCESSIONS } from './data-directory.ts'
import { PARTITIONS, TOPIC } from './group-scenario.ts'
import { viewGroups } from './groups-view.ts'
import { mixedGroups } from './mixed-groups.ts'

const CASES = SUCCESSIONS.with(1, { brokers: ['minikafka', 'Kafka 4.4.0', 'minikafka'], ends: 'killed' })

const PATIENCE_MS = 120_000

/** Fast compaction, so that each broker loads partitions that the cleaner of the other has compacted. */
const CLEANED = { 'segment.ms': 100, 'min.cleanable.dirty.ratio': 0.01, 'delete.retention.ms': 0 }
const compacted = call('__consumer_offsets is compacted at once', APIS.IncrementalAlterConfigs, 1, {
  resources: [
    {
      ...{ resourceType: 2, resourceName: '__consumer_offsets' },
      configs: Object.entries(CLEANED).map(([name, value]) => ({ name, configOperation: 0, value: `${value}` }))
    }
  ]
})

const directory = dataDirectoryOfEachTest()

test.each(CASES)(
  'each broker finds and continues the groups of a directory that $brokers.0 created, each broker $ends',
  async ({ brokers, ends }) => {
    onTestFailed(() => directory.printWarnings())
    const scenarios = [...classicGroups(), ...mixedGroups(), ...consumerGroups()]
    const groupIds = scenarios.map(({ id }) => id)
    const [port] = await freePorts()
    const session = new Session(`localhost:${port}`)
    const play = async (steps: readonly Step[]) => {
      for (const step of steps) await step.play(session)
    }
    let previous: object | undefined
    for (const [phase, broker] of brokers.entries()) {
      const served = await directory.begin({ broker, ends }, port)
      await play(groupIds.map(id => new Group(id).found()))
      if (previous === undefined) {
        await play([compacted, topic(TOPIC, PARTITIONS), ...scenarios.flatMap(scenario => scenario.begin())])
      } else {
        // A Kafka that has just loaded its groups lists some of them later.
        const timeout = broker === 'minikafka' ? 0 : PATIENCE_MS
        const looking = expect.poll(() => viewGroups(session, groupIds), {
          timeout,
          message: `what ${phase}, ${broker}, finds`
        })
        await looking.toEqual(previous)
        await play(scenarios.flatMap(scenario => scenario.resume(phase)))
        expect(await viewGroups(session, groupIds), `what ${phase}, ${broker}, has of those who continue`).toEqual(
          previous
        )
        await play(scenarios.flatMap(scenario => scenario.change(phase)))
      }
      previous = await viewGroups(session, groupIds)
      await play(scenarios.flatMap(scenario => scenario.unfinished?.(phase) ?? []))
      await session.closeAll()
      expect(warningsOf(served), `what ${phase}, ${broker}, warns of`).toEqual([])
      await directory.end({ ends })
      const files = await filesOf(directory.dataDir, /^__consumer_offsets-\d+\/.*\.log$/)
      expect((await dumpLog([...files, '--verify'])).stdout).toContain('no problems found')
      if (phase === brokers.length - 1) await expectSameDump(files, ['--offsets-decoder'])
    }
  }
)
