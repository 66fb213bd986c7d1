/**
 * Records that this broker keeps without acting on them: registrations, ACLs, SCRAM credentials, quotas, tokens.
 * Each has an identity under which a later record replaces, changes or removes it.
 */
import { unreachable } from '../runtime/assert.ts'
import type { DraftMap } from './image/draft-map.ts'
import { MetadataError } from './metadata-error.ts'
import type { MetadataRecord, MetadataRecordOf } from './records.ts'

/** The records kept as they are. */
export type OtherRecord = Extract<
  MetadataRecord,
  {
    type:
      | 'RegisterBrokerRecord'
      | 'UnregisterBrokerRecord'
      | 'FenceBrokerRecord'
      | 'UnfenceBrokerRecord'
      | 'BrokerRegistrationChangeRecord'
      | 'RegisterControllerRecord'
      | 'AccessControlEntryRecord'
      | 'RemoveAccessControlEntryRecord'
      | 'UserScramCredentialRecord'
      | 'RemoveUserScramCredentialRecord'
      | 'ClientQuotaRecord'
      | 'DelegationTokenRecord'
      | 'RemoveDelegationTokenRecord'
  }
>

/** Applies a record to those kept so far. Throws MetadataError when it changes a broker that never registered. */
export function applyOther(others: DraftMap<MetadataRecord>, record: OtherRecord): void {
  switch (record.type) {
    case 'RegisterBrokerRecord':
      others.set(brokerKey(record.brokerId), record)
      break
    case 'UnregisterBrokerRecord':
      others.delete(brokerKey(record.brokerId))
      break
    case 'FenceBrokerRecord':
      changeBroker(others, record.id, { fenced: true })
      break
    case 'UnfenceBrokerRecord':
      changeBroker(others, record.id, { fenced: false })
      break
    case 'BrokerRegistrationChangeRecord':
      changeBroker(others, record.brokerId, registrationChange(record), record.version)
      break
    case 'RegisterControllerRecord':
      others.set(`controller:${record.controllerId}`, record)
      break
    case 'AccessControlEntryRecord':
      others.set(`acl:${record.id}`, record)
      break
    case 'RemoveAccessControlEntryRecord':
      others.delete(`acl:${record.id}`)
      break
    case 'UserScramCredentialRecord':
      others.set(scramKey(record), withOwnBytes(record))
      break
    case 'RemoveUserScramCredentialRecord':
      others.delete(scramKey(record))
      break
    case 'ClientQuotaRecord':
      if (record.remove) others.delete(quotaKey(record))
      else others.set(quotaKey(record), record)
      break
    case 'DelegationTokenRecord':
      others.set(`token:${record.tokenId}`, record)
      break
    case 'RemoveDelegationTokenRecord':
      others.delete(`token:${record.tokenId}`)
      break
    default:
      unreachable(record)
  }
}

type Registration = MetadataRecordOf<'RegisterBrokerRecord'>

const brokerKey = (brokerId: number) => `broker:${brokerId}`

/** The epoch of a broker's last registration; -1 for one that never registered, as we never do. */
export function registeredEpoch(others: ReadonlyMap<string, MetadataRecord>, brokerId: number): bigint {
  const registration = others.get(brokerKey(brokerId))
  return registration?.type === 'RegisterBrokerRecord' ? registration.brokerEpoch : -1n
}

/** A registration can say all that a change of `changeVersion` can from the version after it on. */
function changeBroker(
  others: DraftMap<MetadataRecord>,
  brokerId: number,
  change: Partial<Registration>,
  changeVersion = 0
): void {
  const registration = others.get(brokerKey(brokerId))
  if (registration?.type !== 'RegisterBrokerRecord') {
    throw new MetadataError(`the registration of broker ${brokerId} changes, but that broker never registered`)
  }
  const version = Math.max(registration.version, changeVersion + 1)
  others.set(brokerKey(brokerId), { ...registration, ...change, version })
}

/** 1 sets a flag, -1 clears it, 0 leaves it; no directories means that they stay as they are. */
function registrationChange(record: MetadataRecordOf<'BrokerRegistrationChangeRecord'>): Partial<Registration> {
  return {
    ...(record.fenced !== 0 && { fenced: record.fenced > 0 }),
    ...(record.inControlledShutdown !== 0 && { inControlledShutdown: record.inControlledShutdown > 0 }),
    ...(record.logDirs.length > 0 && { logDirs: record.logDirs }),
    ...(record.cordonedLogDirs !== null && { cordonedLogDirs: record.cordonedLogDirs })
  }
}

function scramKey({ mechanism, name }: { readonly mechanism: number; readonly name: string }): string {
  return `scram:${mechanism}:${name}`
}

function quotaKey({ entity, key }: MetadataRecordOf<'ClientQuotaRecord'>): string {
  const parts = entity.map(({ entityType, entityName }) => JSON.stringify([entityType, entityName])).sort()
  return `quota:${key}:${parts.join()}`
}

/** Decoded bytes are views on the log's chunk, which one small credential must not keep alive. */
function withOwnBytes(record: MetadataRecordOf<'UserScramCredentialRecord'>): MetadataRecord {
  const { salt, storedKey, serverKey } = record
  return { ...record, salt: Buffer.from(salt), storedKey: Buffer.from(storedKey), serverKey: Buffer.from(serverKey) }
}
