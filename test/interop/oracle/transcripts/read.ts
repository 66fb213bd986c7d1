// Reading a topic from its start, to see what the log holds.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { type Call, call } from '../transcript.ts'

const { Fetch } = APIS

/** All that lies in the first partitions of a topic, batch by batch. */
export function fetchAll(name: string, topic: string, partitions: number): Call<typeof Fetch> {
  return call(name, Fetch, 12, {
    ...{ maxWaitMs: 0, minBytes: 0 },
    topics: [{ topic, partitions: Array.from({ length: partitions }, (_, partition) => fromStart(partition)) }]
  })
}

const fromStart = (partition: number) => ({ partition, fetchOffset: 0n, partitionMaxBytes: 10 << 20 })
