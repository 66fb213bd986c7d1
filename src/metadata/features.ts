/**
 * Feature levels (KIP-584): the levels of a new log, the supported levels, and the levels that ApiVersions returns. A new log has
 * the levels of Apache Kafka 4.0, so that any Kafka 4.x can read the data directory. ApiVersions returns only the levels that
 * this broker supports.
 */
import { TRANSACTIONS_V2 } from '../protocol/transaction-version.ts'
import type { MetadataImage } from './image/image.ts'
import { MetadataError } from './metadata-error.ts'
import { type MetadataRecord, metadataRecord } from './records.ts'

/** The feature that determines the allowed metadata records and their versions. */
export const METADATA_VERSION = 'metadata.version'

/** Readable levels of metadata.version: those of Kafka 3.3 to 4.3. */
const READABLE = [7, 30] as const

/** Supported levels. A feature with the range 0 to 0 is off, and not part of ApiVersions responses. */
const SUPPORTED: Readonly<Record<string, readonly [min: number, max: number]>> = {
  [METADATA_VERSION]: READABLE,
  /** 1: the consumer protocol of KIP-848. */
  'group.version': [0, 1],
  /** 1: flexible transaction records; 2: transactions that bump the epoch (KIP-890). */
  'transaction.version': [0, TRANSACTIONS_V2]
}

/**
 * Levels of the other features in Kafka 4.3. A higher level may change the meaning of records, so a log with such a level is
 * rejected.
 */
const KNOWN_LEVELS: Readonly<Record<string, number>> = {
  'group.version': 1,
  'transaction.version': 2,
  'eligible.leader.replicas.version': 1,
  'share.version': 1,
  'streams.version': 1
}

/** A supported feature as in ApiVersions. */
export interface SupportedFeature {
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
}

/** A finalized feature as in ApiVersions. */
export interface FinalizedFeature {
  readonly name: string
  readonly maxVersionLevel: number
  readonly minVersionLevel: number
}

/**
 * The first records of a new log. metadata.version is the first record, because Kafka reads no other record before it. Level 0
 * has no record.
 */
export function bootstrapFeatures(transactionVersion = TRANSACTIONS_V2): MetadataRecord[] {
  const levels = { [METADATA_VERSION]: 25, 'group.version': 1, 'transaction.version': transactionVersion }
  return Object.entries(levels)
    .filter(([, featureLevel]) => featureLevel > 0)
    .map(([name, featureLevel]) => metadataRecord('FeatureLevelRecord', { name, featureLevel }))
}

/** Throws MetadataError for a log that a Kafka newer than 4.3 or older than 3.3 has written. */
export function checkFeatures({ features }: MetadataImage): void {
  if (!features.has(METADATA_VERSION)) throw new MetadataError('the metadata log has no level of metadata.version')
  for (const [name, level] of features) {
    const [first, last] = name === METADATA_VERSION ? READABLE : [0, KNOWN_LEVELS[name] ?? 0]
    if (level >= first && level <= last) continue
    throw new MetadataError(`the level of ${name} is ${level}, but this broker supports levels ${first} to ${last}`)
  }
}

/** The supported features. */
export function supportedFeatures(): SupportedFeature[] {
  return Object.entries(SUPPORTED)
    .filter(([, [, maxVersion]]) => maxVersion > 0)
    .map(([name, [minVersion, maxVersion]]) => ({ name, minVersion, maxVersion }))
}

/** The finalized levels, limited to the supported levels. */
export function finalizedFeatures(image: MetadataImage): FinalizedFeature[] {
  return Array.from(image.features.keys()).flatMap(name => {
    const works = finalizedLevel(image, name)
    return works > 0 ? [{ name, maxVersionLevel: works, minVersionLevel: works }] : []
  })
}

/** The finalized level of a feature, limited to the supported level; 0 if it is off. */
export function finalizedLevel({ features }: MetadataImage, name: string): number {
  return Math.min(features.get(name) ?? 0, SUPPORTED[name]?.[1] ?? 0)
}
