// Users, ACLs and quotas of a Kafka cluster, written and read by admin APIs that our broker does not serve.
import { type ApiDeclaration, api } from '../../src/protocol/api.ts'
import {
  array,
  boolean,
  bytes,
  errorCode,
  float64,
  int8,
  int32,
  nullableString,
  type Shape,
  string
} from '../../src/protocol/wire/schema.ts'
import type { Session } from './oracle/session.ts'

/** Declares an API of which only the client side is used. */
function clientApi<const Req extends Shape, const Res extends Shape>(
  declaration: Omit<ApiDeclaration<Req, Res>, 'refuse'>
) {
  return api({ ...declaration, refuse: () => undefined })
}

const throttleTimeMs = int32
const result = { errorCode, errorMessage: nullableString }
const entity = array({ entityType: string, entityName: nullableString })
const acl = { principal: string, host: string, operation: int8, permissionType: int8 }

const CreateAcls = clientApi({
  key: 30,
  name: 'CreateAcls',
  versions: [3, 3],
  flexibleSince: 2,
  request: { creations: array({ resourceType: int8, resourceName: string, patternType: int8, ...acl }) },
  response: { throttleTimeMs, results: array(result) }
})
const DescribeAcls = clientApi({
  key: 29,
  name: 'DescribeAcls',
  versions: [3, 3],
  flexibleSince: 2,
  request: {
    resourceType: int8,
    resourceName: nullableString,
    patternType: int8,
    principal: nullableString,
    host: nullableString,
    operation: int8,
    permissionType: int8
  },
  response: {
    throttleTimeMs,
    ...result,
    resources: array({ resourceType: int8, resourceName: string, patternType: int8, acls: array(acl) })
  }
})
const AlterUserScramCredentials = clientApi({
  key: 51,
  name: 'AlterUserScramCredentials',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    deletions: array({ name: string, mechanism: int8 }),
    upsertions: array({ name: string, mechanism: int8, iterations: int32, salt: bytes, saltedPassword: bytes })
  },
  response: { throttleTimeMs, results: array({ user: string, ...result }) }
})
const DescribeUserScramCredentials = clientApi({
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: [0, 0],
  flexibleSince: 0,
  request: { users: array({ name: string }).nullableSince(0) },
  response: {
    throttleTimeMs,
    ...result,
    results: array({ user: string, ...result, credentialInfos: array({ mechanism: int8, iterations: int32 }) })
  }
})
const AlterClientQuotas = clientApi({
  key: 49,
  name: 'AlterClientQuotas',
  versions: [1, 1],
  flexibleSince: 1,
  request: {
    entries: array({ entity, ops: array({ key: string, value: float64, remove: boolean }) }),
    validateOnly: boolean
  },
  response: { throttleTimeMs, entries: array({ ...result, entity }) }
})
const DescribeClientQuotas = clientApi({
  key: 48,
  name: 'DescribeClientQuotas',
  versions: [1, 1],
  flexibleSince: 1,
  request: {
    components: array({ entityType: string, matchType: int8, match: nullableString }),
    strict: boolean
  },
  response: {
    throttleTimeMs,
    ...result,
    entries: array({ entity, values: array({ key: string, value: float64 }) }).nullableSince(0)
  }
})

const TOPIC = 2
const PREFIXED = 4
const ANY = 1
const SCRAM_SHA_256 = 1

/** Settings with which Kafka stores ACLs and denies no request by them. */
export const ACL_SETTINGS = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS'
}

/** Gives a user a password, an ACL and two quotas. Returns the error code of each response. */
export async function grant(session: Session): Promise<(string | undefined)[]> {
  const right = { resourceType: TOPIC, resourceName: 'a', patternType: PREFIXED, principal: 'User:alice', host: '*' }
  const password = { salt: Buffer.alloc(16, 1), saltedPassword: Buffer.alloc(32, 2) }
  const limits = [
    { key: 'request_percentage', value: 12.5, remove: false },
    { key: 'consumer_byte_rate', value: 99, remove: false }
  ]
  const acls = await session.sendRequest(CreateAcls, 3, { creations: [{ ...right, operation: 3, permissionType: 3 }] })
  const scram = await session.sendRequest(AlterUserScramCredentials, 0, {
    deletions: [],
    upsertions: [{ name: 'alice', mechanism: SCRAM_SHA_256, iterations: 4096, ...password }]
  })
  const quotas = await session.sendRequest(AlterClientQuotas, 1, {
    entries: [{ entity: [{ entityType: 'user', entityName: 'alice' }], ops: limits }],
    validateOnly: false
  })
  if (typeof acls === 'string' || typeof scram === 'string' || typeof quotas === 'string') return ['no answer']
  return [...acls.results, ...scram.results, ...quotas.entries].map(
    ({ errorCode, errorMessage }) => `${errorCode} ${errorMessage ?? ''}`
  )
}

/** All SCRAM credentials, ACLs and quotas of the broker; waits until there is at least one of each. */
export async function granted(session: Session): Promise<object> {
  const anyAcl = { resourceName: null, principal: null, host: null, operation: ANY, permissionType: ANY }
  const asked = { resourceType: ANY, patternType: ANY, ...anyAcl }
  const { resources } = await session.requestUntil(DescribeAcls, 3, asked, acls => acls.resources.length > 0)
  const { results } = await session.requestUntil(
    DescribeUserScramCredentials,
    0,
    { users: null },
    scram => scram.results.length > 0
  )
  const { entries } = await session.requestUntil(
    DescribeClientQuotas,
    1,
    { components: [], strict: false },
    quotas => (quotas.entries ?? []).length > 0
  )
  return { resources, results, entries }
}
