/**
 * DescribeConfigs, IncrementalAlterConfigs, AlterConfigs: settings of topics, groups and the broker (KIP-133, KIP-226, KIP-339).
 * ListConfigResources: what has settings (KIP-1142).
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
      /** Null asks for all. */
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

/** One answer a resource, alike in both ways of altering. */
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
      /** 0 sets, 1 deletes, 2 appends to a list, 3 takes from one. */
      configs: array({ name: string, configOperation: int8, value: nullableString })
    }),
    validateOnly: boolean.or(false)
  },
  response: alterConfigsResponse,
  refuse: refuseResources
})

/** Replaces all of a resource's settings: what is not named returns to its default. */
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
    /** Empty asks for all; version 0 for client metrics, and nothing else. */
    resourceTypes: array(int8).since(1).or([])
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode,
    configResources: array({ resourceName: string, resourceType: int8.since(1).or(16) }).or([])
  },
  refuse: topLevelError
})
