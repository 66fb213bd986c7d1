import { describe, expect, it } from 'vitest'
import { Harness } from '../../../../src/testing/harness.ts'

const VERSIONS = [0, 1, 2, 3, 4, 5]
const request = { transactionalId: null, transactionTimeoutMs: 60_000 }

describe('InitProducerId', () => {
  it.each(VERSIONS)('assigns a new producer id in version %i', async version => {
    await using harness = await Harness.start()
    const first = await harness.request('InitProducerId', request, { version })
    const second = await harness.request('InitProducerId', request, { version })
    expect(first).toMatchObject({ errorCode: 'NONE', producerEpoch: 0 })
    expect(second.producerId).toBeGreaterThan(first.producerId)
  })

  it.each(VERSIONS)('assigns a producer to a transactional id in version %i', async version => {
    await using harness = await Harness.start()
    await harness.request('FindCoordinator', { coordinatorKeys: ['orders'], keyType: 1 })
    const sendRequest = () => harness.request('InitProducerId', { ...request, transactionalId: 'orders' }, { version })
    const first = await sendRequest()
    expect(first).toMatchObject({ errorCode: 'NONE', producerEpoch: 0 })
    expect(await sendRequest()).toMatchObject({ errorCode: 'NONE', producerId: first.producerId, producerEpoch: 1 })
  })

  it('refuses an empty transactional id', async () => {
    await using harness = await Harness.start()
    const answer = await harness.request('InitProducerId', { ...request, transactionalId: '' })
    expect(answer).toMatchObject({ errorCode: 'INVALID_REQUEST' })
  })

  it('never assigns a producer id twice, also after restarts', async () => {
    const first = await Harness.start()
    const { producerId } = await first.request('InitProducerId', request)
    await first.stop()
    await using second = await Harness.start({ storage: first.storage })
    expect((await second.request('InitProducerId', request)).producerId).toBeGreaterThan(producerId)
  })
})
