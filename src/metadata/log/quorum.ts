/**
 * The Raft side of the metadata log, as far as a quorum of one needs it: who votes, who leads, in which epoch. Kafka
 * reads all of it when it takes the directory over.
 */

import type { RecordBatch } from '../../protocol/records/batch.ts'
import {
  controlBatch,
  controlTypeOf,
  KRaftVersionRecord,
  LeaderChangeMessage,
  VotersRecord
} from '../../protocol/records/control.ts'
import { recordsOf } from '../../protocol/records/record.ts'
import { ByteReader } from '../../protocol/wire/bytes.ts'
import type { Storage } from '../../storage/storage.ts'

/** What control records have said: who votes, and by which version of the protocol. */
export interface Quorum {
  readonly kraftVersion: number
  /** Undefined where the voters are static, named by Kafka's configuration only. */
  readonly voterIds: readonly number[] | undefined
  /** The record that named the voters, to be written again as it was. */
  readonly votersRecord: Buffer | undefined
}

/** Before any control record. */
export const UNKNOWN_QUORUM: Quorum = { kraftVersion: 0, voterIds: undefined, votersRecord: undefined }

/** Name of the file that tells a restarting node its last epoch. */
export const QUORUM_STATE_FILE = 'quorum-state'

/** Where Kafka's stock configuration expects the controller; a Kafka that listens elsewhere corrects it itself. */
const CONTROLLER_ENDPOINT = { name: 'CONTROLLER', host: 'localhost', port: 9093 }
const NO_DIRECTORY = 'AAAAAAAAAAAAAAAAAAAAAA'

/** The quorum after a control batch. */
export function quorumAfter(quorum: Quorum, batch: RecordBatch): Quorum {
  let { kraftVersion, voterIds, votersRecord } = quorum
  for (const { key, value } of recordsOf(batch)) {
    const type = controlTypeOf(key)
    if (value === null) continue
    if (type === 'KRAFT_VERSION') kraftVersion = KRaftVersionRecord.decode(value, 0).kRaftVersion
    if (type === 'KRAFT_VOTERS') {
      voterIds = VotersRecord.read(new ByteReader(value), 0).voters.map(({ voterId }) => voterId)
      votersRecord = Buffer.from(value)
    }
  }
  return { kraftVersion, voterIds, votersRecord }
}

/** The batch with which a leader begins its epoch. */
export function leaderChange(nodeId: number, epoch: number, timestamp: bigint): RecordBatch {
  const voters = [{ voterId: nodeId, voterDirectoryId: NO_DIRECTORY }]
  const value = LeaderChangeMessage.encode({ leaderId: nodeId, voters, grantingVoters: voters }, 0)
  return controlBatch('LEADER_CHANGE', value, timestamp, { partitionLeaderEpoch: epoch })
}

/** A quorum whose only voter is this node. */
export function quorumOfOne(nodeId: number, directoryId: string): Quorum {
  const voter = {
    voterId: nodeId,
    voterDirectoryId: directoryId,
    endpoints: [CONTROLLER_ENDPOINT],
    kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 }
  }
  return { kraftVersion: 1, voterIds: [nodeId], votersRecord: VotersRecord.encode({ voters: [voter] }, 0) }
}

/** The text of the quorum-state file for this node leading `epoch`. */
export function quorumState({ kraftVersion }: Pick<Quorum, 'kraftVersion'>, nodeId: number, epoch: number): string {
  if (kraftVersion > 0) {
    const vote = { votedId: -1, votedDirectoryId: NO_DIRECTORY }
    return JSON.stringify({ leaderId: nodeId, leaderEpoch: epoch, ...vote, data_version: 1 })
  }
  const voters = { votedId: -1, appliedOffset: 0, currentVoters: [{ voterId: nodeId }] }
  return JSON.stringify({ clusterId: '', leaderId: nodeId, leaderEpoch: epoch, ...voters, data_version: 0 })
}

/** The epoch that a quorum-state file names; 0 without a file, or with one that cannot be read. */
export function quorumEpoch(storage: Storage, path: string): number {
  if (!storage.exists(path)) return 0
  const text = storage.read(path, 0, storage.size(path)).toString('utf8')
  return Number(/"leaderEpoch":\s*(\d{1,10})/.exec(text)?.[1] ?? 0)
}
