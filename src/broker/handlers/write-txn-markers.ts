/**
 * WriteTxnMarkers: ends transactions in partitions, as their coordinator or an operator asks who aborts one that hangs
 * (KIP-98, KIP-664). Every partition of every marker has its own error.
 */

import type { Marker } from '../../txn/endings.ts'
import type { Handler, Request, RequestContext } from '../context.ts'
import { failureOf } from '../per-partition.ts'

type Wanted = Request<'WriteTxnMarkers'>['markers'][number]

export const writeTxnMarkers: Handler<'WriteTxnMarkers'> = async ({ markers }, context) => {
  const written = []
  for (const wanted of markers) written.push({ producerId: wanted.producerId, topics: await write(wanted, context) })
  return { markers: written }
}

async function write(wanted: Wanted, { parts }: RequestContext) {
  const { producerId, producerEpoch, coordinatorEpoch, transactionVersion, transactionResult } = wanted
  const result = transactionResult ? 'COMMIT' : 'ABORT'
  const marker: Marker = { producerId, producerEpoch, coordinatorEpoch, transactionVersion, result }
  const one = async (topic: string, partitionIndex: number) => {
    try {
      await parts.markers.write(topic, partitionIndex, marker)
      return { partitionIndex, errorCode: 'NONE' as const }
    } catch (error) {
      return { partitionIndex, errorCode: failureOf(error, parts).errorCode }
    }
  }
  return Promise.all(
    wanted.topics.map(async ({ name, partitionIndexes }) => {
      const partitions = await Promise.all(partitionIndexes.map(index => one(name, index)))
      return { name, partitions }
    })
  )
}
