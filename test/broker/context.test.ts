import { expect, it } from 'vitest'
import { handler, type Parts, type RequestContext } from '../../src/broker/context.ts'

it('a handler gets its declared dependencies and no others', () => {
  const seen: object[] = []
  const heartbeat = handler('Heartbeat', ['nodeId'], (_request, parts) => {
    seen.push(parts)
    // @ts-expect-error: the handler does not declare `clusterId`.
    expect(parts.clusterId).toBeUndefined()
    return { errorCode: 'NONE' }
  })
  const request = { groupId: 'g', generationId: 0, memberId: 'm', groupInstanceId: null }
  heartbeat({ nodeId: 1, clusterId: 'c' } as Parts)(request, {} as RequestContext)
  expect(seen).toEqual([{ nodeId: 1 }])
})
