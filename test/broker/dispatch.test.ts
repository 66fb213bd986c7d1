import { describe, expect, it } from 'vitest'
import { CloseConnection } from '../../src/net/dispatch.ts'
import { decodeResponse } from '../../src/protocol/api.ts'
import { APIS } from '../../src/protocol/messages/index.ts'
import { MalformedFrame } from '../../src/protocol/wire/bytes.ts'
import { Harness } from '../../src/testing/harness.ts'
import { inProcessConnection } from '../../src/testing/in-process.ts'

/** A frame that is nothing but a request header of version 1. */
function header(apiKey: number, apiVersion: number): Buffer {
  const frame = Buffer.alloc(10)
  frame.writeInt16BE(apiKey, 0)
  frame.writeInt16BE(apiVersion, 2)
  frame.writeInt32BE(77, 4)
  frame.writeInt16BE(-1, 8)
  return frame
}

describe('dispatch', () => {
  it('closes the connection for an API that does not exist, or a version that is not served', async () => {
    await using broker = await Harness.start()
    await expect(broker.broker.dispatch(header(9999, 0), inProcessConnection())).rejects.toThrow(MalformedFrame)
    await expect(broker.broker.dispatch(header(APIS.Metadata.key, 99), inProcessConnection())).rejects.toThrow()
    await expect(broker.broker.dispatch(header(APIS.Produce.key, 2), inProcessConnection())).rejects.toThrow(
      CloseConnection
    )
  })

  it('answers an ApiVersions from the future in version 0, with the versions it may ask for', async () => {
    await using broker = await Harness.start()
    const frame = Buffer.concat([header(APIS.ApiVersions.key, 99), Buffer.of(0)])
    const { response: parts = [] } = await broker.broker.dispatch(frame, inProcessConnection())
    const answer = Buffer.concat(parts).subarray(4)
    const { correlationId, response } = decodeResponse(APIS.ApiVersions, 0, answer)
    expect(correlationId).toBe(77)
    expect(response).toMatchObject({ errorCode: 'UNSUPPORTED_VERSION', apiKeys: [{ apiKey: 18, maxVersion: 5 }] })
  })

  it('closes the connection for a request that ends too early', async () => {
    await using broker = await Harness.start()
    await expect(broker.broker.dispatch(header(APIS.Metadata.key, 1), inProcessConnection())).rejects.toThrow(
      MalformedFrame
    )
  })

  it('advertises Produce from version 0, and everything else as it is served', async () => {
    await using broker = await Harness.start()
    const { apiKeys } = await broker.request('ApiVersions', { clientSoftwareName: 'a', clientSoftwareVersion: '1' })
    expect(apiKeys).toContainEqual(expect.objectContaining({ apiKey: 0, minVersion: 0, maxVersion: 13 }))
    expect(apiKeys).toContainEqual(expect.objectContaining({ apiKey: 1, minVersion: 4, maxVersion: 18 }))
  })

  it('refuses a client software name that is no plain word, and a client of another cluster', async () => {
    await using broker = await Harness.start()
    const named = await broker.request('ApiVersions', { clientSoftwareName: 'a b', clientSoftwareVersion: '1' })
    expect(named.errorCode).toBe('INVALID_REQUEST')
    const elsewhere = { clientSoftwareName: 'a', clientSoftwareVersion: '1', clusterId: 'another', nodeId: 1 }
    expect((await broker.request('ApiVersions', elsewhere)).errorCode).toBe('REBOOTSTRAP_REQUIRED')
  })

  it('tells clients the address they came by', async () => {
    await using broker = await Harness.start()
    const connection = inProcessConnection({ localAddress: '192.0.2.7', localPort: 1234 })
    const { brokers } = await broker.request('Metadata', { topics: [] }, { connection })
    expect(brokers).toMatchObject([{ nodeId: 1, host: '192.0.2.7', port: 1234 }])
  })
})
