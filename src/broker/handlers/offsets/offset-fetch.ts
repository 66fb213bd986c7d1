/**
 * OffsetFetch: the committed offsets of groups; -1 for a partition without one.
 * - Null topics request all offsets of the group. Since version 8 a request has several groups, each with its own error
 *   (KIP-709).
 * - Since version 10 topics are identified by id; an unknown id gets UNKNOWN_TOPIC_ID. Offsets of deleted topics are left out if
 *   all topics are requested (KIP-848).
 * - All groups of a request share one response budget, which limits the size of the response.
 * - Version 1 has no error of the whole group: every partition gets it.
 */

import type { OffsetFetchRequest, OffsetFetchResponse } from '../../../group/committed-offsets.ts'
import { type FetchTopic, notFound } from '../../../group/offsets/offsets.ts'
import { ResponseBudget } from '../../../group/response-budget.ts'
import type { MetadataImage } from '../../../metadata/image/image.ts'
import type { ErrorName } from '../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../protocol/wire/bytes.ts'
import { handler, type PartsOf, type Request, type Response } from '../../context.ts'

type ResponseGroup = NonNullable<Response<'OffsetFetch'>['groups']>[number]
type ResponseTopic = ResponseGroup['topics'][number]

const GROUP_ERROR_SINCE = 2
const BATCHED_SINCE = 8
const TOPIC_IDS_SINCE = 10

const PARTS = ['groups', 'metadata'] as const

export const offsetFetch = handler('OffsetFetch', PARTS, async (request, parts, { apiVersion }) => {
  const { requireStable } = request
  const options = { byId: apiVersion >= TOPIC_IDS_SINCE, budget: new ResponseBudget(), requireStable }
  if (apiVersion >= BATCHED_SINCE) {
    return { groups: await Promise.all(request.groups.map(group => fetchGroup(group, parts, options))) }
  }
  const group = onlyGroup(request)
  const { topics, errorCode } = await fetchGroup(group, parts, options)
  if (errorCode === 'NONE' || apiVersion >= GROUP_ERROR_SINCE) return { topics, errorCode }
  return { topics: (group.topics ?? []).map(topic => refuse(topic, errorCode)) }
})

function onlyGroup({ groupId, topics }: Request<'OffsetFetch'>): OffsetFetchRequest {
  const named = topics?.map(topic => ({ ...topic, topicId: ZERO_UUID })) ?? null
  return { groupId, topics: named, memberId: null, memberEpoch: -1 }
}

interface FetchOptions {
  /** True if the request version identifies topics by id. */
  readonly byId: boolean
  readonly budget: ResponseBudget
  readonly requireStable: boolean
}

async function fetchGroup(
  group: OffsetFetchRequest,
  { groups, metadata }: PartsOf<typeof PARTS>,
  { byId, budget, requireStable }: FetchOptions
): Promise<ResponseGroup> {
  const { groupId, topics } = group
  const named = byId ? topics?.map(topic => withName(topic, metadata.image)) : topics
  const isUnknown = ({ name }: FetchTopic) => byId && name === ''
  const unknown = named?.filter(isUnknown) ?? []
  const existing = named?.filter(topic => !isUnknown(topic)) ?? null
  const response = await groups.offsets.fetch({ ...group, topics: existing }, budget, requireStable)
  if (response.errorCode !== 'NONE') return { groupId, ...response }
  const found = byId && !topics ? withIds(response, metadata.image) : response.topics
  return { groupId, errorCode: 'NONE', topics: [...found, ...unknown.map(topic => refuse(topic, 'UNKNOWN_TOPIC_ID'))] }
}

function withName(topic: FetchTopic, image: MetadataImage): FetchTopic {
  return { ...topic, name: image.topicsById.get(topic.topicId)?.name ?? '' }
}

/** Offsets are stored by topic name. Topics that do not exist any more have no id and are left out. */
function withIds({ topics }: OffsetFetchResponse, image: MetadataImage): ResponseTopic[] {
  return topics.flatMap(topic => {
    const state = image.topicsByName.get(topic.name)
    return state ? [{ ...topic, topicId: state.topicId }] : []
  })
}

function refuse({ name, topicId, partitionIndexes }: FetchTopic, errorCode: ErrorName): ResponseTopic {
  return { name, topicId, partitions: partitionIndexes.map(index => notFound(index, errorCode)) }
}
