/** The cluster in responses: features, nodes, and operations that configs disable. */
import { describe, expect, it } from 'vitest'
import { Harness } from '../../../../src/testing/harness.ts'

const client = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }

describe('ApiVersions', () => {
  it.each([3, 4, 5])('returns the supported features and no others at version %i', async version => {
    await using harness = await Harness.start()
    const { supportedFeatures, finalizedFeatures } = await harness.request('ApiVersions', client, { version })
    const canBeOff = [
      { name: 'group.version', minVersion: 0, maxVersion: 1 },
      { name: 'transaction.version', minVersion: 0, maxVersion: 2 }
    ]
    // Features with level 0 are returned from version 4.
    const shown = version < 4 ? [] : canBeOff
    expect(supportedFeatures).toEqual([{ name: 'metadata.version', minVersion: 7, maxVersion: 30 }, ...shown])
    expect(finalizedFeatures).toEqual([
      { name: 'metadata.version', minVersionLevel: 25, maxVersionLevel: 25 },
      { name: 'group.version', minVersionLevel: 1, maxVersionLevel: 1 },
      { name: 'transaction.version', minVersionLevel: 2, maxVersionLevel: 2 }
    ])
  })

  it('advertises Produce from version 0, and other APIs in their served versions', async () => {
    await using harness = await Harness.start()
    const { apiKeys } = await harness.request('ApiVersions', client)
    expect(apiKeys).toContainEqual(expect.objectContaining({ apiKey: 0, minVersion: 0, maxVersion: 13 }))
    expect(apiKeys).toContainEqual(expect.objectContaining({ apiKey: 1, minVersion: 4, maxVersion: 18 }))
  })

  it('refuses an invalid client software name and a client of another cluster', async () => {
    await using harness = await Harness.start()
    const named = await harness.request('ApiVersions', { ...client, clientSoftwareName: 'a b' })
    expect(named.errorCode).toBe('INVALID_REQUEST')
    const elsewhere = { ...client, clusterId: 'another', nodeId: 1 }
    expect((await harness.request('ApiVersions', elsewhere)).errorCode).toBe('REBOOTSTRAP_REQUIRED')
  })
})

describe('DescribeCluster', () => {
  it('returns brokers, and no fields that this listener does not serve', async () => {
    await using harness = await Harness.start({ config: { 'broker.rack': 'r1' } })
    expect(await harness.request('DescribeCluster', { endpointType: 1 })).toMatchObject({
      errorCode: 'NONE',
      controllerId: 1,
      brokers: [{ brokerId: 1, rack: 'r1' }]
    })
    expect(await harness.request('DescribeCluster', { endpointType: 2 })).toMatchObject({
      errorCode: 'MISMATCHED_ENDPOINT_TYPE'
    })
    expect(await harness.request('DescribeCluster', { endpointType: 7 })).toMatchObject({
      errorCode: 'UNSUPPORTED_ENDPOINT_TYPE'
    })
  })
})

describe('DeleteTopics', () => {
  it('is refused with delete.topic.enable=false, and the topic stays', async () => {
    await using harness = await Harness.start({ config: { 'delete.topic.enable': false } })
    await harness.createTopic('orders')
    const { responses } = await harness.request('DeleteTopics', { topics: [{ name: 'orders' }], timeoutMs: 1000 })
    expect(responses).toMatchObject([{ name: 'orders', errorCode: 'TOPIC_DELETION_DISABLED' }])
    const { topics } = await harness.request('Metadata', { topics: null })
    expect(topics).toMatchObject([{ name: 'orders', errorCode: 'NONE' }])
  })
})
