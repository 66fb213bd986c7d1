/**
 * OffsetFetch: how far groups have read; -1 for a partition that a group never committed.
 * - Null topics ask for all that the group has. From version 8 on several groups, each with its own error (KIP-709).
 * - From version 10 on topics are named by id: UNKNOWN_TOPIC_ID where there is none; offsets of a topic that is gone
 *   are left out when all are asked for (KIP-848).
 * - All groups of a request share one budget, so that a question can only be so much shorter than its answer.
 * - Version 1 has no place for an error of the whole group: every partition carries it.
 */

import type { OffsetFetchRequest, OffsetFetchResponse } from '../../../group/committed-offsets.ts'
import { type FetchTopic, notFound } from '../../../group/offsets/offsets.ts'
import { ResponseBudget } from '../../../group/response-budget.ts'
import type { ErrorName } from '../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../protocol/wire/bytes.ts'
import type { Handler, Request, RequestContext, Response } from '../../context.ts'

type ResponseGroup = NonNullable<Response<'OffsetFetch'>['groups']>[number]
type ResponseTopic = ResponseGroup['topics'][number]

const GROUP_ERROR_SINCE = 2
const BATCHED_SINCE = 8
const TOPIC_IDS_SINCE = 10

export const offsetFetch: Handler<'OffsetFetch'> = async (request, context) => {
  const budget = new ResponseBudget()
  if (context.apiVersion >= BATCHED_SINCE) {
    const { groups, requireStable } = request
    return { groups: await Promise.all(groups.map(group => fetchGroup(group, context, budget, requireStable))) }
  }
  const group = onlyGroup(request)
  const { topics, errorCode } = await fetchGroup(group, context, budget, request.requireStable)
  if (errorCode === 'NONE' || context.apiVersion >= GROUP_ERROR_SINCE) return { topics, errorCode }
  return { topics: (group.topics ?? []).map(topic => refuse(topic, errorCode)) }
}

function onlyGroup({ groupId, topics }: Request<'OffsetFetch'>): OffsetFetchRequest {
  const named = topics?.map(topic => ({ ...topic, topicId: ZERO_UUID })) ?? null
  return { groupId, topics: named, memberId: null, memberEpoch: -1 }
}

async function fetchGroup(
  group: OffsetFetchRequest,
  context: RequestContext,
  budget: ResponseBudget,
  requireStable: boolean
): Promise<ResponseGroup> {
  const { groupId, topics } = group
  const byId = context.apiVersion >= TOPIC_IDS_SINCE
  const named = byId ? topics?.map(topic => withName(topic, context)) : topics
  const isUnknown = ({ name }: FetchTopic) => byId && name === ''
  const unknown = named?.filter(isUnknown) ?? []
  const existing = named?.filter(topic => !isUnknown(topic)) ?? null
  const response = await context.parts.groups.offsets.fetch({ ...group, topics: existing }, budget, requireStable)
  if (response.errorCode !== 'NONE') return { groupId, ...response }
  const found = byId && !topics ? withIds(response, context) : response.topics
  return { groupId, errorCode: 'NONE', topics: [...found, ...unknown.map(topic => refuse(topic, 'UNKNOWN_TOPIC_ID'))] }
}

function withName(topic: FetchTopic, { parts }: RequestContext): FetchTopic {
  return { ...topic, name: parts.metadata.image.topicsById.get(topic.topicId)?.name ?? '' }
}

/** Topics are stored by name; those that exist have an id to be answered with. */
function withIds({ topics }: OffsetFetchResponse, { parts }: RequestContext): ResponseTopic[] {
  return topics.flatMap(topic => {
    const state = parts.metadata.image.topicsByName.get(topic.name)
    return state ? [{ ...topic, topicId: state.topicId }] : []
  })
}

function refuse({ name, topicId, partitionIndexes }: FetchTopic, errorCode: ErrorName): ResponseTopic {
  return { name, topicId, partitions: partitionIndexes.map(index => notFound(index, errorCode)) }
}
