// Reads a topic from its start, to compare the contents of logs.
import type { DecodedResponseOf } from '../../../../src/protocol/api.ts'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { type Call, call } from '../transcript.ts'

const { Fetch } = APIS
type Fetched = DecodedResponseOf<typeof Fetch>

/** The contents of the first partitions of a topic, batch by batch. */
export function fetchAll(name: string, topic: string, partitions: number): Call<typeof Fetch> {
  return call(name, Fetch, 12, fromStart(topic, partitions))
}

/** The same as bytes, for batches that a broker stores unchanged. */
export function fetchBytes(name: string, topic: string, partitions: number): Call<typeof Fetch> {
  return call(name, Fetch, 12, fromStart(topic, partitions), { compare: withBytes })
}

/** A response with its raw bytes, including a truncated batch at the end. */
export function withBytes(answer: Fetched): object {
  const bytes = answer.responses.flatMap(({ partitions }) => partitions.map(({ records }) => records ?? 'null'))
  return { ...answer, bytes }
}

function fromStart(topic: string, partitions: number) {
  const fetched = (partition: number) => ({ partition, fetchOffset: 0n, partitionMaxBytes: 10 << 20 })
  return {
    maxWaitMs: 0,
    minBytes: 0,
    topics: [{ topic, partitions: Array.from({ length: partitions }, (_, n) => fetched(n)) }]
  }
}
