// Reading a topic from its start, to see what the log holds.
import type { DecodedResponseOf } from '../../../../src/protocol/api.ts'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { type Call, call } from '../transcript.ts'

const { Fetch } = APIS
type Fetched = DecodedResponseOf<typeof Fetch>

/** All that lies in the first partitions of a topic, batch by batch. */
export function fetchAll(name: string, topic: string, partitions: number): Call<typeof Fetch> {
  return call(name, Fetch, 12, fromStart(topic, partitions))
}

/** The same, byte for byte: for logs of batches that a broker keeps as they came. */
export function fetchBytes(name: string, topic: string, partitions: number): Call<typeof Fetch> {
  return call(name, Fetch, 12, fromStart(topic, partitions), { compare: withBytes })
}

/** An answer and, beside the batches that are shown, the bytes that came: a cut batch at the end too. */
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
