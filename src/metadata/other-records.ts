/**
 * Records that this broker keeps without effect: registrations, ACLs, SCRAM credentials, quotas, tokens. Each has a key, by which
 * a later record replaces, changes or removes it.
 */
import { unreachable } from '../runtime/assert.ts'
import type { DraftMap } from './image/draft-map.ts'
import { MetadataError } from './metadata-error.ts'
import type { MetadataRecord, MetadataRecordOf } from './records.ts'

/** The types of these records. */
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

/** Applies a record to the kept records. Throws MetadataError if it changes a broker that is not registered. */
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

/** Epoch of the last registration of a broker; -1 if there is none. This broker itself never registers. */
export function registeredEpoch(others: ReadonlyMap<string, MetadataRecord>, brokerId: number): bigint {
  const registration = others.get(brokerKey(brokerId))
  return registration?.type === 'RegisterBrokerRecord' ? registration.brokerEpoch : -1n
}

/**
 * Changes a registration, and raises its version to `changeVersion` + 1 if it is lower, because only registrations from that
 * version on have all fields of the change.
 */
function changeBroker(
  others: DraftMap<MetadataRecord>,
  brokerId: number,
  change: Partial<Registration>,
  changeVersion = 0
): void {
  const registration = others.get(brokerKey(brokerId))
  if (registration?.type !== 'RegisterBrokerRecord') {
    throw new MetadataError(`the registration of broker ${brokerId} changes, but the broker is not registered`)
  }
  const version = Math.max(registration.version, changeVersion + 1)
  others.set(brokerKey(brokerId), { ...registration, ...change, version })
}

/** 1 sets a flag, -1 clears it, 0 leaves it unchanged. Empty `logDirs` leave the directories unchanged. */
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

/** Copies decoded bytes, which are views of a chunk of the log: a small credential must not keep the whole chunk in memory. */
function withOwnBytes(record: MetadataRecordOf<'UserScramCredentialRecord'>): MetadataRecord {
  const { salt, storedKey, serverKey } = record
  return { ...record, salt: Buffer.from(salt), storedKey: Buffer.from(storedKey), serverKey: Buffer.from(serverKey) }
}
