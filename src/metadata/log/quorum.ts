/** The Raft state of a quorum of one: voters, leader and epoch. Kafka reads it when it opens the data directory. */

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

/** State from control records: the voters and the version of the protocol. */
export interface Quorum {
  readonly kraftVersion: number
  /** Undefined if the voters are static, that is, named only in Kafka's configuration. */
  readonly voterIds: readonly number[] | undefined
  /** Value of the record that named the voters. Snapshots contain it unchanged. */
  readonly votersRecord: Buffer | undefined
}

/** State before the first control record. */
export const UNKNOWN_QUORUM: Quorum = { kraftVersion: 0, voterIds: undefined, votersRecord: undefined }

/** File with the last epoch, for a restart of the node. */
export const QUORUM_STATE_FILE = 'quorum-state'

/** Controller endpoint of Kafka's default configuration. A Kafka with another endpoint updates it. */
const CONTROLLER_ENDPOINT = { name: 'CONTROLLER', host: 'localhost', port: 9093 }
const NO_DIRECTORY = 'AAAAAAAAAAAAAAAAAAAAAA'

/** The state after a control batch. */
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

/** The batch that begins the epoch of a leader. */
export function leaderChange(nodeId: number, epoch: number, timestamp: bigint): RecordBatch {
  const voters = [{ voterId: nodeId, voterDirectoryId: NO_DIRECTORY }]
  const value = LeaderChangeMessage.encode({ leaderId: nodeId, voters, grantingVoters: voters }, 0)
  return controlBatch('LEADER_CHANGE', value, timestamp, { partitionLeaderEpoch: epoch })
}

/** State of a quorum whose only voter is this node. */
export function quorumOfOne(nodeId: number, directoryId: string): Quorum {
  const voter = {
    voterId: nodeId,
    voterDirectoryId: directoryId,
    endpoints: [CONTROLLER_ENDPOINT],
    kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 }
  }
  return { kraftVersion: 1, voterIds: [nodeId], votersRecord: VotersRecord.encode({ voters: [voter] }, 0) }
}

/** Content of the quorum-state file while this node leads `epoch`. */
export function quorumState({ kraftVersion }: Pick<Quorum, 'kraftVersion'>, nodeId: number, epoch: number): string {
  if (kraftVersion > 0) {
    const vote = { votedId: -1, votedDirectoryId: NO_DIRECTORY }
    return JSON.stringify({ leaderId: nodeId, leaderEpoch: epoch, ...vote, data_version: 1 })
  }
  const voters = { votedId: -1, appliedOffset: 0, currentVoters: [{ voterId: nodeId }] }
  return JSON.stringify({ clusterId: '', leaderId: nodeId, leaderEpoch: epoch, ...voters, data_version: 0 })
}

/** Leader epoch in a quorum-state file; 0 if the file does not exist or cannot be parsed. */
export function quorumEpoch(storage: Storage, path: string): number {
  if (!storage.exists(path)) return 0
  const text = storage.read(path, 0, storage.size(path)).toString('utf8')
  return Number(/"leaderEpoch":\s*(\d{1,10})/.exec(text)?.[1] ?? 0)
}
