/** Names of partitions' folders and the file in each that says which topic it belongs to. */
import type { Random } from '../runtime/random.ts'
import { replaceFile, type Storage } from '../storage/storage.ts'

/** The cluster's own metadata: opened before anything is known of topics, and never trusted without recovery. */
export const METADATA_FOLDER = '__cluster_metadata-0'

/** Kafka's name for the file in a partition's folder that says which topic it belongs to. */
export const PARTITION_METADATA_FILE = 'partition.metadata'
/** Far more than its two lines take. */
const LARGEST_METADATA = 1024
const LONGEST_NAME = 255
const SET_ASIDE = /\.[0-9a-f]{32}-(delete|stray|future)$/
/** Of a number with zeros before it the folder would be another one's. */
const PARTITION = /^(.+)-(0|[1-9]\d*)$/

/** A partition by topic name and number. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** What a directory's name says: a partition's folder, one that was set aside and why, or undefined: not one of Kafka's. */
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

/** The name for a folder that is set aside; the topic's part is cut where a file system would refuse the whole. */
export function setAsideName({ topic, partition }: TopicPartition, why: 'delete' | 'stray', random: Random): string {
  const suffix = `-${partition}.${random.bytes(16).toString('hex')}-${why}`
  return topic.slice(0, LONGEST_NAME - suffix.length) + suffix
}

/** The topic id that a folder's partition.metadata names; undefined when there is no such file or it is damaged. */
export function readTopicId(storage: Pick<Storage, 'exists' | 'read'>, folder: string): string | undefined {
  const path = `${folder}/${PARTITION_METADATA_FILE}`
  if (!storage.exists(path)) return undefined
  const text = storage.read(path, 0, LARGEST_METADATA).toString('utf8')
  return /^version:\s*\d+\s*\ntopic_id:\s*([\w-]{22})\s*$/.exec(text)?.[1]
}

/** Writes partition.metadata, as Kafka does without a line end. */
export function writeTopicId(storage: Storage, folder: string, topicId: string): void {
  replaceFile(storage, `${folder}/${PARTITION_METADATA_FILE}`, Buffer.from(`version: 0\ntopic_id: ${topicId}`))
}
