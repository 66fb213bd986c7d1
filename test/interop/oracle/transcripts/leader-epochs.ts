// OffsetForLeaderEpoch: the end offset of a leader epoch. A broker that has never lost leadership knows only the first
// epoch.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { atEachVersion, call, type Step } from '../transcript.ts'
import { bytes } from './batches.ts'
import { filled, produced } from './producing.ts'
import { topic } from './topic.ts'

const { DeleteRecords, OffsetForLeaderEpoch } = APIS
const MAIN = 'leader-epochs'

const asked = (leaderEpoch: number, more: { partition?: number; currentLeaderEpoch?: number } = {}) => ({
  partition: 0,
  leaderEpoch,
  ...more
})
const end = (name: string, leaderEpoch: number, more: { currentLeaderEpoch?: number } = {}, topicName = MAIN) =>
  call(name, OffsetForLeaderEpoch, 4, {
    replicaId: -1,
    topics: [{ topic: topicName, partitions: [asked(leaderEpoch, more)] }]
  })

export const leaderEpochs: Step[] = [
  topic(MAIN, 2),
  ...[0, -1, 1].map(epoch => end(`of an empty log, epoch ${epoch}`, epoch)),
  filled(MAIN, [bytes(['a', 'b', 'c']), bytes(['d'])]),
  ...[0, -1, 1, 5, -2, 2_147_483_647, -2_147_483_648].flatMap(epoch =>
    atEachVersion(`the end of epoch ${epoch}`, OffsetForLeaderEpoch, () => ({
      replicaId: -1,
      topics: [{ topic: MAIN, partitions: [asked(epoch)] }]
    }))
  ),
  produced('another record', bytes(['e']), MAIN),
  end('the end has moved', 0),
  ...[0, 1, 7, -1, -2].flatMap(currentLeaderEpoch =>
    [0, 1].map(epoch =>
      end(`epoch ${epoch}, with the current one as ${currentLeaderEpoch}`, epoch, { currentLeaderEpoch })
    )
  ),
  ...[2, 4].flatMap(version => [
    call('unknown partitions', OffsetForLeaderEpoch, version, {
      replicaId: -1,
      topics: [
        {
          topic: MAIN,
          partitions: [
            asked(0, { partition: 4 }),
            asked(0, { partition: -1 }),
            asked(0, { partition: 4, currentLeaderEpoch: 9 })
          ]
        }
      ]
    }),
    call('an unknown topic', OffsetForLeaderEpoch, version, {
      replicaId: -1,
      topics: [{ topic: 'leader-epochs-none', partitions: [asked(0)] }]
    })
  ]),
  end('a topic that is not allowed', 0, {}, 'a b'),
  end('the offsets topic', 1, {}, '__consumer_offsets'),
  ...[-2, 0, 1, 5].map(replicaId =>
    call(`as replica ${replicaId}`, OffsetForLeaderEpoch, 4, {
      replicaId,
      topics: [{ topic: MAIN, partitions: [asked(0), asked(0, { partition: 1 })] }]
    })
  ),
  call('a partition twice', OffsetForLeaderEpoch, 4, {
    replicaId: -1,
    topics: [{ topic: MAIN, partitions: [asked(0), asked(5)] }]
  }),
  call('a topic twice', OffsetForLeaderEpoch, 4, {
    replicaId: -1,
    topics: [
      { topic: MAIN, partitions: [asked(0)] },
      { topic: MAIN, partitions: [asked(0, { partition: 1 })] }
    ]
  }),
  call('no topics', OffsetForLeaderEpoch, 4, { replicaId: -1, topics: [] }),
  call('no partitions', OffsetForLeaderEpoch, 4, { replicaId: -1, topics: [{ topic: MAIN, partitions: [] }] }),
  call('records are deleted', DeleteRecords, 2, {
    topics: [{ name: MAIN, partitions: [{ partitionIndex: 0, offset: 3n }] }],
    timeoutMs: 5000
  }),
  ...[0, 1, -2].map(epoch => end(`when the first are deleted, epoch ${epoch}`, epoch)),
  call('all records are deleted', DeleteRecords, 2, {
    topics: [{ name: MAIN, partitions: [{ partitionIndex: 0, offset: -1n }] }],
    timeoutMs: 5000
  }),
  ...[0, 1, -2].map(epoch => end(`when all are deleted, epoch ${epoch}`, epoch))
]
