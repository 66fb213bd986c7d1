/**
 * Feature levels (KIP-584): what a new log is formatted with, what this broker can do, what clients are told.
 * The log says what Apache Kafka 4.0 would, so that any Kafka 4.x can take the directory over; a client is told only as
 * much of it as works here.
 */
import { TRANSACTIONS_V2 } from '../protocol/transaction-version.ts'
import type { MetadataImage } from './image/image.ts'
import { MetadataError } from './metadata-error.ts'
import { type MetadataRecord, metadataRecord } from './records.ts'

/** The feature that says which records there may be. */
export const METADATA_VERSION = 'metadata.version'

/** Levels of metadata.version whose records can be read: those of Kafka 3.3 to 4.3. */
const READABLE = [7, 30] as const

/** Levels that work here. One that begins and ends at 0 is off, and not told to anybody. */
const SUPPORTED: Readonly<Record<string, readonly [min: number, max: number]>> = {
  [METADATA_VERSION]: READABLE,
  /** 1: the consumer protocol of KIP-848. */
  'group.version': [0, 1],
  /** 1: flexible transaction records; 2: transactions that bump the epoch (KIP-890). */
  'transaction.version': [0, TRANSACTIONS_V2]
}

/** What Kafka 4.3 knows of the other features: a higher level may mean records that say something else than we think. */
const KNOWN_LEVELS: Readonly<Record<string, number>> = {
  'group.version': 1,
  'transaction.version': 2,
  'eligible.leader.replicas.version': 1,
  'share.version': 1,
  'streams.version': 1
}

/** As ApiVersions shows a supported feature. */
export interface SupportedFeature {
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
}

/** As ApiVersions shows a feature in force. */
export interface FinalizedFeature {
  readonly name: string
  readonly maxVersionLevel: number
  readonly minVersionLevel: number
}

/** The first records of a new log, metadata.version first: without it Kafka reads no other. Level 0 is not written down. */
export function bootstrapFeatures(transactionVersion = TRANSACTIONS_V2): MetadataRecord[] {
  const levels = { [METADATA_VERSION]: 25, 'group.version': 1, 'transaction.version': transactionVersion }
  return Object.entries(levels)
    .filter(([, featureLevel]) => featureLevel > 0)
    .map(([name, featureLevel]) => metadataRecord('FeatureLevelRecord', { name, featureLevel }))
}

/** Throws MetadataError for a log that a Kafka newer than 4.3, or older than 3.3, has written. */
export function checkFeatures({ features }: MetadataImage): void {
  if (!features.has(METADATA_VERSION)) throw new MetadataError('the log names no metadata.version')
  for (const [name, level] of features) {
    const [first, last] = name === METADATA_VERSION ? READABLE : [0, KNOWN_LEVELS[name] ?? 0]
    if (level >= first && level <= last) continue
    throw new MetadataError(`${name} is ${level}, but this broker reads levels ${first} to ${last}`)
  }
}

/** The features that work. */
export function supportedFeatures(): SupportedFeature[] {
  return Object.entries(SUPPORTED)
    .filter(([, [, maxVersion]]) => maxVersion > 0)
    .map(([name, [minVersion, maxVersion]]) => ({ name, minVersion, maxVersion }))
}

/** The levels in force, cut to what works. */
export function finalizedFeatures(image: MetadataImage): FinalizedFeature[] {
  return [...image.features].flatMap(([name, level]) => {
    const works = Math.min(level, SUPPORTED[name]?.[1] ?? 0)
    return works > 0 ? [{ name, maxVersionLevel: works, minVersionLevel: works }] : []
  })
}
