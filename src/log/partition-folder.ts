/** Names of the partitions' folders, and `partition.metadata` in each of them. */
import type { Random } from '../runtime/random.ts'
import { replaceFile, type Storage } from '../storage/storage.ts'

/** Folder of the metadata log. It is opened before the topics are known, and is always recovered. */
export const METADATA_FOLDER = '__cluster_metadata-0'

/** Kafka's name for the file that holds the topic id of a partition's folder. */
export const PARTITION_METADATA_FILE = 'partition.metadata'
/** Upper limit for reads of partition.metadata, which has two short lines. */
const LARGEST_METADATA = 1024
const LONGEST_NAME = 255
const SET_ASIDE = /\.[0-9a-f]{32}-(delete|stray|future)$/
/** Leading zeros are refused: `t-01` and `t-1` would name the same partition. */
const PARTITION = /^(.+)-(0|[1-9]\d*)$/

/** A partition by topic name and number. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/**
 * Parses the name of a folder: a partition, or the suffix of a folder that Kafka renamed. Undefined if Kafka does not use
 * such a name.
 */
export function parseFolder(name: string): TopicPartition | 'delete' | 'stray' | 'future' | undefined {
  const aside = SET_ASIDE.exec(name)?.[1]
  if (aside === 'delete' || aside === 'stray' || aside === 'future') return aside
  const [, topic, partition] = PARTITION.exec(name) ?? []
  return topic === undefined || partition === undefined ? undefined : { topic, partition: Number(partition) }
}

/** The folder of a partition. */
export function folderOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

/** The new name of a deleted or stray folder. The topic name is truncated to keep the limit of file systems. */
export function setAsideName({ topic, partition }: TopicPartition, why: 'delete' | 'stray', random: Random): string {
  const suffix = `-${partition}.${random.bytes(16).toString('hex')}-${why}`
  return topic.slice(0, LONGEST_NAME - suffix.length) + suffix
}

/** The topic id in a folder's partition.metadata; undefined if the file is missing or damaged. */
export function readTopicId(storage: Pick<Storage, 'exists' | 'read'>, folder: string): string | undefined {
  const path = `${folder}/${PARTITION_METADATA_FILE}`
  if (!storage.exists(path)) return undefined
  const text = storage.read(path, 0, LARGEST_METADATA).toString('utf8')
  return /^version:\s*\d+\s*\ntopic_id:\s*([\w-]{22})\s*$/.exec(text)?.[1]
}

/** Writes partition.metadata, as Kafka does, without a final line break. */
export function writeTopicId(storage: Storage, folder: string, topicId: string): void {
  replaceFile(storage, `${folder}/${PARTITION_METADATA_FILE}`, Buffer.from(`version: 0\ntopic_id: ${topicId}`))
}
