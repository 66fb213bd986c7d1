/** Responses of a node whose role changes: it leads a partition, follows another leader, or has no replica. */
import { describe, expect, it } from 'vitest'
import { CloseConnection } from '../../src/net/dispatch.ts'
import { batchOf } from '../../src/testing/harness.ts'
import { sofar } from './held-broker.ts'
import { NodeOfCluster } from './node-of-cluster.ts'

const FOLLOWER = { leader: 2, replicas: [1, 2], isr: [1, 2] }
const WITHOUT_REPLICA = { leader: 2, replicas: [2], isr: [2] }
const ANY_EPOCH = -1

/** A node with topic `t`, in which it has written one record, and its requests for partition 0. */
async function nodeWithTopic() {
  const node = await NodeOfCluster.start()
  const topicId = await node.createTopic('t')
  const requests = requestsTo(node, topicId)
  expect(await requests.produce()).toMatchObject({ errorCode: 'NONE', baseOffset: 0n })
  return { node, topicId, ...requests }
}

function requestsTo(node: NodeOfCluster, topicId: string) {
  const records = batchOf(['value'])
  return {
    produce: async (acks = -1) => {
      const topicData = [{ topicId, partitionData: [{ index: 0, records }] }]
      const { responses } = await node.request('Produce', { transactionalId: null, acks, timeoutMs: 1000, topicData })
      return responses[0]?.partitionResponses[0]
    },
    fetch: async (currentLeaderEpoch = ANY_EPOCH, { version = 17, fetchOffset = 0n, maxWaitMs = 0 } = {}) => {
      const partitions = [{ partition: 0, currentLeaderEpoch, fetchOffset, partitionMaxBytes: 1000 }]
      const limits = { maxWaitMs, minBytes: 1, maxBytes: 1000, sessionId: 0, sessionEpoch: -1 }
      const topics = [version < 13 ? { topic: 't', partitions } : { topicId, partitions }]
      const { responses } = await node.request('Fetch', { ...limits, topics } as never, { version })
      return responses[0]?.partitions[0]
    },
    listOffsets: async (currentLeaderEpoch = ANY_EPOCH, replicaId = -1) => {
      const topics = [{ name: 't', partitions: [{ partitionIndex: 0, currentLeaderEpoch, timestamp: -1n }] }]
      return (await node.request('ListOffsets', { replicaId, topics })).topics[0]?.partitions[0]
    },
    endOffset: async (leaderEpoch: number, currentLeaderEpoch = ANY_EPOCH) => {
      const topics = [{ topic: 't', partitions: [{ partition: 0, currentLeaderEpoch, leaderEpoch }] }]
      return (await node.request('OffsetForLeaderEpoch', { topics })).topics[0]?.partitions[0]
    },
    deleteRecords: async (name = 't') => {
      const topics = [{ name, partitions: [{ partitionIndex: 0, offset: 1n }] }]
      return (await node.request('DeleteRecords', { topics, timeoutMs: 1000 })).topics[0]?.partitions[0]?.errorCode
    },
    writeMarker: async () => {
      const producer = { producerId: 1n, producerEpoch: 0, transactionResult: false, coordinatorEpoch: 0 }
      const markers = [{ ...producer, topics: [{ name: 't', partitionIndexes: [0] }] }]
      return (await node.request('WriteTxnMarkers', { markers })).markers[0]?.topics[0]?.partitions[0]?.errorCode
    },
    describeProducers: async () => {
      const { topics } = await node.request('DescribeProducers', { topics: [{ name: 't', partitionIndexes: [0] }] })
      return topics[0]?.partitions[0]?.errorCode
    }
  }
}

describe('a follower', () => {
  it('a follower refuses Produce with NOT_LEADER_OR_FOLLOWER and the current leader, and closes with acks=0', async () => {
    const { node, produce } = await nodeWithTopic()
    node.change('t', FOLLOWER)
    const refused = { errorCode: 'NOT_LEADER_OR_FOLLOWER', currentLeader: { leaderId: 2, leaderEpoch: 1 } }
    expect(await produce(-1)).toMatchObject({ ...refused, baseOffset: -1n, logStartOffset: -1n })
    expect(await produce(1)).toMatchObject(refused)
    await expect(produce(0)).rejects.toThrow(CloseConnection)
  })

  it('a follower serves Fetch to consumers since version 11, and refuses older ones and replicas', async () => {
    const { node, topicId, fetch } = await nodeWithTopic()
    node.change('t', FOLLOWER)
    expect(await fetch()).toMatchObject({ errorCode: 'NONE', highWatermark: 1n })
    expect(await fetch(1, { version: 11 })).toMatchObject({ errorCode: 'NONE', highWatermark: 1n })
    expect(await fetch(1, { version: 10 })).toMatchObject({ errorCode: 'NOT_LEADER_OR_FOLLOWER' })
    expect(await fetch(0)).toMatchObject({ errorCode: 'FENCED_LEADER_EPOCH', currentLeader: { leaderId: 2 } })
    expect(await fetch(2)).toMatchObject({ errorCode: 'UNKNOWN_LEADER_EPOCH' })
    const partitions = [{ partition: 0, currentLeaderEpoch: 1, fetchOffset: 0n, partitionMaxBytes: 1000 }]
    const limits = { maxWaitMs: 0, minBytes: 1, maxBytes: 1000, sessionId: 0, sessionEpoch: -1 }
    const replicaState = { replicaId: 2, replicaEpoch: 1n }
    const { responses } = await node.request('Fetch', { ...limits, replicaState, topics: [{ topicId, partitions }] })
    expect(responses[0]?.partitions[0]).toMatchObject({
      errorCode: 'NOT_LEADER_OR_FOLLOWER',
      currentLeader: { leaderId: 2, leaderEpoch: 1 }
    })
  })

  it('a follower serves ListOffsets only to a debugging consumer', async () => {
    const { node, listOffsets } = await nodeWithTopic()
    node.change('t', FOLLOWER)
    expect(await listOffsets()).toMatchObject({ errorCode: 'NOT_LEADER_OR_FOLLOWER', offset: -1n })
    expect(await listOffsets(1)).toMatchObject({ errorCode: 'NOT_LEADER_OR_FOLLOWER' })
    expect(await listOffsets(0)).toMatchObject({ errorCode: 'FENCED_LEADER_EPOCH' })
    expect(await listOffsets(ANY_EPOCH, -2)).toMatchObject({ errorCode: 'NONE', offset: 1n })
  })

  it('a follower refuses OffsetForLeaderEpoch, after the check of the leader epoch', async () => {
    const { node, endOffset } = await nodeWithTopic()
    node.change('t', FOLLOWER)
    expect(await endOffset(0)).toMatchObject({ errorCode: 'NOT_LEADER_OR_FOLLOWER', endOffset: -1n })
    expect(await endOffset(0, 0)).toMatchObject({ errorCode: 'FENCED_LEADER_EPOCH' })
    expect(await endOffset(0, 2)).toMatchObject({ errorCode: 'UNKNOWN_LEADER_EPOCH' })
  })

  it('a follower refuses DeleteRecords and WriteTxnMarkers, and serves DescribeProducers', async () => {
    const { node, deleteRecords, writeMarker, describeProducers } = await nodeWithTopic()
    node.change('t', FOLLOWER)
    expect(await deleteRecords()).toBe('NOT_LEADER_OR_FOLLOWER')
    expect(await writeMarker()).toBe('NOT_LEADER_OR_FOLLOWER')
    expect(await describeProducers()).toBe('NONE')
  })

  it('a follower refuses the same requests while the partition has no leader', async () => {
    const { node, produce, listOffsets } = await nodeWithTopic()
    node.change('t', { leader: -1 })
    expect(await produce()).toMatchObject({ errorCode: 'NOT_LEADER_OR_FOLLOWER' })
    expect(await listOffsets()).toMatchObject({ errorCode: 'NOT_LEADER_OR_FOLLOWER' })
  })

  it('a follower that was not opened before refuses requests, too', async () => {
    const node = await NodeOfCluster.start()
    const { produce, deleteRecords } = requestsTo(node, await node.createTopic('t'))
    node.change('t', FOLLOWER)
    expect(await produce()).toMatchObject({ errorCode: 'NOT_LEADER_OR_FOLLOWER' })
    expect(await deleteRecords()).toBe('NOT_LEADER_OR_FOLLOWER')
  })
})

describe('a node without a replica', () => {
  it('a node without a replica refuses all requests for the partition', async () => {
    const { node, produce, fetch, listOffsets, endOffset, ...others } = await nodeWithTopic()
    node.change('t', WITHOUT_REPLICA)
    for (const response of [await produce(), await fetch(), await listOffsets(), await endOffset(0)]) {
      expect(response).toMatchObject({ errorCode: 'NOT_LEADER_OR_FOLLOWER' })
    }
    expect(await others.deleteRecords()).toBe('NOT_LEADER_OR_FOLLOWER')
    expect(await others.describeProducers()).toBe('NOT_LEADER_OR_FOLLOWER')
    expect(await others.writeMarker()).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  })
})

describe('a change of the leader', () => {
  it('a change of the leader completes a delayed Fetch with FENCED_LEADER_EPOCH', async () => {
    const { node, fetch } = await nodeWithTopic()
    const delayed = fetch(0, { fetchOffset: 1n, maxWaitMs: 60_000 })
    expect(await sofar(delayed)).toBe('waits')
    node.change('t', FOLLOWER)
    expect(await delayed).toMatchObject({ errorCode: 'FENCED_LEADER_EPOCH' })
  })

  it('a change of the leader fails an acks=all Produce that waits for the high watermark', async () => {
    const { node, produce, listOffsets } = await nodeWithTopic()
    node.change('t', { replicas: [1, 2], isr: [1, 2] })
    const waiting = produce(-1)
    expect(await sofar(waiting)).toBe('waits')
    expect(await produce(1)).toMatchObject({ errorCode: 'NONE', baseOffset: 2n })
    expect(await listOffsets()).toMatchObject({ offset: 1n })
    node.change('t', { leader: 2 })
    expect(await waiting).toMatchObject({ errorCode: 'NOT_LEADER_OR_FOLLOWER', currentLeader: { leaderId: 2 } })
  })

  it('an ISR that shrinks to the leader completes an acks=all Produce', async () => {
    const { node, produce, listOffsets } = await nodeWithTopic()
    node.change('t', { replicas: [1, 2], isr: [1, 2] })
    const waiting = produce(-1)
    expect(await sofar(waiting)).toBe('waits')
    node.change('t', { isr: [1] })
    expect(await waiting).toMatchObject({ errorCode: 'NONE', baseOffset: 1n })
    expect(await listOffsets()).toMatchObject({ offset: 2n })
  })

  it('an acks=all Produce gets REQUEST_TIMED_OUT if an in-sync replica does not fetch in time', async () => {
    const { node, produce } = await nodeWithTopic()
    node.change('t', { replicas: [1, 2], isr: [1, 2] })
    const waiting = produce(-1)
    expect(await sofar(waiting)).toBe('waits')
    node.clock.advance(1000)
    expect(await waiting).toMatchObject({ errorCode: 'REQUEST_TIMED_OUT' })
  })

  it('a node that leads again writes its new leader epoch', async () => {
    const { node, produce, endOffset, fetch } = await nodeWithTopic()
    node.change('t', FOLLOWER)
    node.change('t', { leader: 1, isr: [1] })
    expect(await endOffset(2)).toMatchObject({ errorCode: 'NONE', leaderEpoch: 2, endOffset: 1n })
    expect(await produce()).toMatchObject({ errorCode: 'NONE', baseOffset: 1n })
    expect(await endOffset(0)).toMatchObject({ leaderEpoch: 0, endOffset: 1n })
    expect(await fetch(2, { fetchOffset: 1n })).toMatchObject({ errorCode: 'NONE', highWatermark: 2n })
  })
})

describe('responses with the leader of a partition', () => {
  it('a leader that is not among the nodes is not available, and its replica is offline', async () => {
    const { node } = await nodeWithTopic()
    node.change('t', FOLLOWER)
    const { topics } = await node.request('Metadata', { topics: [{ name: 't' }] })
    const partition = { leaderId: -1, leaderEpoch: 1, replicaNodes: [1, 2], isrNodes: [1, 2], offlineReplicas: [2] }
    expect(topics[0]?.partitions[0]).toMatchObject({ ...partition, errorCode: 'LEADER_NOT_AVAILABLE' })
    const described = await node.request('DescribeTopicPartitions', { topics: [{ name: 't' }], cursor: null })
    expect(described.topics[0]?.partitions[0]).toMatchObject({ ...partition, errorCode: 'NONE' })
  })
})

describe('a coordinator whose partition another node leads', () => {
  it('requests of groups get NOT_COORDINATOR, and FindCoordinator has no node', async () => {
    const node = await NodeOfCluster.start({ 'offsets.topic.num.partitions': 1 })
    const find = () => node.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })
    const groups = [{ groupId: 'g', topics: null }]
    const fetchOffsets = async () => (await node.request('OffsetFetch', { groups })).groups?.[0]?.errorCode
    expect((await find()).coordinators?.[0]).toMatchObject({ errorCode: 'NONE', nodeId: 1 })
    expect(await fetchOffsets()).toBe('NONE')
    node.change('__consumer_offsets', FOLLOWER)
    expect((await find()).coordinators?.[0]).toMatchObject({ errorCode: 'COORDINATOR_NOT_AVAILABLE', nodeId: -1 })
    expect(await fetchOffsets()).toBe('NOT_COORDINATOR')
    expect((await node.request('Heartbeat', { groupId: 'g', generationId: 1, memberId: 'm' })).errorCode).toBe(
      'NOT_COORDINATOR'
    )
  })

  it('requests of transactions get NOT_COORDINATOR', async () => {
    const node = await NodeOfCluster.start({ 'transaction.state.log.num.partitions': 1 })
    await node.request('FindCoordinator', { keyType: 1, coordinatorKeys: ['pay-1'] })
    const request = { transactionalId: 'pay-1', transactionTimeoutMs: 1000, producerId: -1n, producerEpoch: -1 }
    expect((await node.request('InitProducerId', request)).errorCode).toBe('NONE')
    node.change('__transaction_state', FOLLOWER)
    expect((await node.request('InitProducerId', request)).errorCode).toBe('NOT_COORDINATOR')
    node.change('__transaction_state', { leader: 1, isr: [1] })
    expect((await node.request('InitProducerId', request)).errorCode).toBe('NONE')
  })
})
