import { describe, expect, it } from 'vitest'
import { Harness } from '../../../../src/testing/harness.ts'

describe('FindCoordinator', () => {
  it.each([1, 2, 3])('has the message NONE in version %i without an error, as in Kafka', async version => {
    await using harness = await Harness.start()
    const answer = await harness.request('FindCoordinator', { key: 'g' }, { version })
    expect(answer).toMatchObject({ errorCode: 'NONE', errorMessage: 'NONE', nodeId: 1 })
  })

  it.each([4, 5, 6])('has no message in version %i without an error', async version => {
    await using harness = await Harness.start()
    const { coordinators } = await harness.request('FindCoordinator', { coordinatorKeys: ['g', 'h'] }, { version })
    expect(coordinators).toMatchObject([
      { key: 'g', errorCode: 'NONE', errorMessage: '' },
      { key: 'h', errorCode: 'NONE', errorMessage: '' }
    ])
  })

  it.each([
    [2, 5, 'INVALID_REQUEST'],
    [2, 6, 'UNSUPPORTED_VERSION'],
    [9, 6, 'INVALID_REQUEST']
  ])('gives the reason for a missing coordinator of type %i at version %i', async (keyType, version, errorCode) => {
    await using harness = await Harness.start()
    const { coordinators } = await harness.request('FindCoordinator', { coordinatorKeys: ['g'], keyType }, { version })
    expect(coordinators).toMatchObject([{ key: 'g', errorCode, nodeId: -1, host: '', port: -1 }])
    expect(coordinators[0]?.errorMessage).toMatch(/\w+ \w+/)
  })

  it('creates __transaction_state with the first request for a transaction coordinator', async () => {
    await using harness = await Harness.start()
    const { coordinators } = await harness.request('FindCoordinator', { coordinatorKeys: ['tx'], keyType: 1 })
    expect(coordinators).toMatchObject([{ key: 'tx', errorCode: 'NONE', nodeId: 1 }])
    const { topics } = await harness.request('Metadata', { topics: [{ name: '__transaction_state' }] })
    expect(topics).toMatchObject([{ isInternal: true, partitions: { length: 50 } }])
  })
})
