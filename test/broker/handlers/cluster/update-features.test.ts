/** UpdateFeatures: upgrades and downgrades of levels, and Kafka's error messages. */
import { describe, expect, it } from 'vitest'
import { Harness } from '../../../../src/testing/harness.ts'

const FEATURE = 'transaction.version'
const UPGRADE = 1
const SAFE_DOWNGRADE = 2

type Update = { feature?: string; level: number; upgradeType?: number }

async function update(broker: Harness, updates: Update[], { version = 2, validateOnly = false } = {}) {
  const featureUpdates = updates.map(({ feature = FEATURE, level, upgradeType = UPGRADE }) => ({
    feature,
    maxVersionLevel: level,
    ...(version > 0 && { upgradeType })
  }))
  const request = { timeoutMs: 1000, featureUpdates, ...(version > 0 && { validateOnly }) }
  return broker.request('UpdateFeatures', request, { version })
}

async function inForce(broker: Harness): Promise<number> {
  const client = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
  const { finalizedFeatures } = await broker.request('ApiVersions', client, { version: 4 })
  return finalizedFeatures.find(({ name }) => name === FEATURE)?.maxVersionLevel ?? 0
}

describe('UpdateFeatures', () => {
  it('lowers and raises a level, which survives a restart', async () => {
    const broker = await Harness.start()
    expect(await inForce(broker)).toBe(2)
    expect((await update(broker, [{ level: 1, upgradeType: SAFE_DOWNGRADE }])).errorCode).toBe('NONE')
    expect(await inForce(broker)).toBe(1)
    await broker.stop()
    await using again = await Harness.start({ storage: broker.storage })
    expect(await inForce(again)).toBe(1)
    expect((await update(again, [{ level: 2 }])).errorCode).toBe('NONE')
    expect(await inForce(again)).toBe(2)
  })

  it.each([0, 1, 2])('continues from the initial level %i of a new cluster', async level => {
    const config = { 'minikafka.transaction.version': level }
    const broker = await Harness.start({ config })
    expect(await inForce(broker)).toBe(level)
    expect((await update(broker, [{ level: 2 }])).errorCode).toBe('NONE')
    await broker.stop()
    await using again = await Harness.start({ config, storage: broker.storage })
    expect(await inForce(again)).toBe(2)
  })

  it('changes no level with validateOnly', async () => {
    await using broker = await Harness.start()
    const answer = await update(broker, [{ level: 0, upgradeType: SAFE_DOWNGRADE }], { validateOnly: true })
    expect(answer.errorCode).toBe('NONE')
    expect(await inForce(broker)).toBe(2)
  })

  it('returns each feature up to version 1 and uses the last level of a repeated one', async () => {
    await using broker = await Harness.start()
    const twice = [
      { level: 1, upgradeType: SAFE_DOWNGRADE },
      { level: 2, upgradeType: UPGRADE }
    ]
    const { results } = await update(broker, twice, { version: 1 })
    expect(results).toEqual(Array(2).fill({ feature: FEATURE, errorCode: 'NONE', errorMessage: 'NONE' }))
    expect(await inForce(broker)).toBe(2)
  })

  it.each<[Update, string]>([
    [{ level: 1 }, "Can't downgrade the version of this feature without setting the upgrade type"],
    [{ level: 3 }, 'Local controller 1 only supports versions 0-2'],
    [{ level: -1 }, 'A feature version cannot be less than 0.'],
    [{ level: 1, upgradeType: 0 }, 'The controller does not support the given upgrade type.'],
    [{ feature: 'no.feature', level: 1 }, 'Local controller 1 does not support this feature.'],
    [{ feature: 'no.feature', level: 0 }, 'Feature no.feature not found.'],
    [
      { feature: 'metadata.version', level: 7, upgradeType: SAFE_DOWNGRADE },
      'Refusing to perform the requested downgrade'
    ]
  ])('refuses %j and all other updates of the request', async (wrong, words) => {
    await using broker = await Harness.start()
    const right = { level: 0, upgradeType: SAFE_DOWNGRADE }
    const updates = wrong.feature === undefined ? [wrong] : [right, wrong]
    const answer = await update(broker, updates)
    expect(answer.errorCode).toBe('INVALID_UPDATE_VERSION')
    expect(answer.errorMessage).toContain(words)
    expect(await inForce(broker)).toBe(2)
  })
})
