/**
 * DescribeConfigs, IncrementalAlterConfigs, AlterConfigs: configs of topics, groups and the broker (KIP-133, KIP-226, KIP-339).
 * ListConfigResources: resources with configs (KIP-1142).
 */
import { api } from '../api.ts'
import type { ApiError } from '../errors.ts'
import { array, boolean, errorCode, int8, int32, nullableString, string } from '../wire/schema.ts'
import { errorFields, topLevelError } from './refusals.ts'

export const DescribeConfigs = api({
  key: 32,
  name: 'DescribeConfigs',
  versions: [1, 4],
  flexibleSince: 4,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      /** Null requests all configs. */
      configurationKeys: array(string).nullableSince(0).or(null)
    }),
    includeSynonyms: boolean.or(false),
    includeDocumentation: boolean.since(3).or(false)
  },
  response: {
    throttleTimeMs: int32.or(0),
    results: array({
      errorCode,
      errorMessage: nullableString,
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        value: nullableString,
        readOnly: boolean,
        configSource: int8.or(-1),
        isSensitive: boolean,
        synonyms: array({ name: string, value: nullableString, source: int8 }).or([]),
        configType: int8.since(3).or(0),
        documentation: nullableString.since(3)
      })
    })
  },
  refuse: ({ resources }, error) => ({
    results: resources.map(({ resourceType, resourceName }) => ({
      ...errorFields(error),
      resourceType,
      resourceName,
      configs: []
    }))
  })
})

/** One result for each resource, the same for both APIs. */
const alterConfigsResponse = {
  throttleTimeMs: int32.or(0),
  responses: array({ errorCode, errorMessage: nullableString, resourceType: int8, resourceName: string })
}

function refuseResources(
  { resources }: { readonly resources: readonly { readonly resourceType: number; readonly resourceName: string }[] },
  error: ApiError
) {
  const fields = errorFields(error)
  return { responses: resources.map(({ resourceType, resourceName }) => ({ ...fields, resourceType, resourceName })) }
}

export const IncrementalAlterConfigs = api({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexibleSince: 1,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      /** 0: set, 1: delete, 2: append to a list, 3: subtract from a list. */
      configs: array({ name: string, configOperation: int8, value: nullableString })
    }),
    validateOnly: boolean.or(false)
  },
  response: alterConfigsResponse,
  refuse: refuseResources
})

/** Replaces all configs of a resource. Configs that the request does not have return to their defaults. */
export const AlterConfigs = api({
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configs: array({ name: string, value: nullableString })
    }),
    validateOnly: boolean.or(false)
  },
  response: alterConfigsResponse,
  refuse: refuseResources
})

export const ListConfigResources = api({
  key: 74,
  name: 'ListConfigResources',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    /** Empty requests all types; version 0 always requests client metrics. */
    resourceTypes: array(int8).since(1).or([])
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode,
    configResources: array({ resourceName: string, resourceType: int8.since(1).or(16) }).or([])
  },
  refuse: topLevelError
})
