import { expect, it } from 'vitest'
import type { Dispatch } from '../../src/net/dispatch.ts'
import { encodeResponse } from '../../src/protocol/api.ts'
import { APIS } from '../../src/protocol/messages/index.ts'
import { send } from '../../src/testing/in-process.ts'
import { responding } from '../net/server-fixture.ts'

const { ApiVersions } = APIS

function answeringAs(correlationId: number): Dispatch {
  const response = encodeResponse(ApiVersions, 4, correlationId, { errorCode: 'NONE', apiKeys: [] })
  return async () => responding(response)
}

it('send resolves with the decoded response', async () => {
  const response = await send(answeringAs(3), ApiVersions, {}, { version: 4, correlationId: 3 })
  expect(response).toMatchObject({ errorCode: 'NONE', apiKeys: [] })
})

it('send resolves with undefined when the broker sends no response', async () => {
  expect(await send(async () => responding(undefined), ApiVersions, {}, { correlationId: 1 })).toBeUndefined()
})

it('send rejects a response with the correlation id of another request', async () => {
  const sent = send(answeringAs(2), ApiVersions, {}, { version: 4, correlationId: 1 })
  await expect(sent).rejects.toThrow('correlation id 2 in the response to ApiVersions; 1 was sent')
})
