// UpdateFeatures, with its error messages, and ApiVersions, which contains the finalized levels.
import type { DecodedResponseOf } from '../../../../src/protocol/api.ts'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { arrange, atEachVersion, call, type Step } from '../transcript.ts'

const { ApiVersions, UpdateFeatures } = APIS
const FEATURE = 'transaction.version'
const client = { clientSoftwareName: 'oracle', clientSoftwareVersion: '1.0' }
type Updated = DecodedResponseOf<typeof UpdateFeatures>

/** Compares messages too. */
function withWords({ errorMessage, results, ...rest }: Updated): object {
  return {
    ...rest,
    words: errorMessage,
    results: results.map(({ errorMessage: inner, ...result }) => ({ ...result, words: inner }))
  }
}

const update = (name: string, version: number, featureUpdates: readonly object[], validateOnly = false): Step =>
  call(
    name,
    UpdateFeatures,
    version,
    {
      featureUpdates: featureUpdates as readonly { feature: string; maxVersionLevel: number }[],
      ...(version > 0 && { validateOnly })
    },
    { compare: withWords }
  )

/** Waits until the level of a feature is in force. */
export function inForce(level: number, feature = FEATURE): Step[] {
  return [
    arrange(`${feature} is ${level}`, session =>
      session.requestUntil(
        ApiVersions,
        4,
        client,
        ({ finalizedFeatures }) => levelIn(finalizedFeatures, feature) === level
      )
    ),
    ...atEachVersion('what is in force', ApiVersions, () => client, {
      first: 3,
      compare: ({ supportedFeatures, finalizedFeatures }) => ({
        supported: supportedFeatures.filter(({ name }) => name === feature),
        finalized: finalizedFeatures.filter(({ name }) => name === feature)
      }),
      since: { 5: '4.4.0' }
    })
  ]
}

/** Sets the level. */
export function raised(level: number, feature = FEATURE): Step[] {
  return [update(`to ${level}`, 2, [{ feature, maxVersionLevel: level }]), ...inForce(level, feature)]
}

export function lowered(level: number, feature = FEATURE): Step[] {
  return [
    update(`down to ${level}`, 2, [{ feature, maxVersionLevel: level, upgradeType: 2 }]),
    ...inForce(level, feature)
  ]
}

type Levels = readonly { readonly name: string; readonly maxVersionLevel: number }[]

function levelIn(features: Levels, feature: string): number {
  return features.find(({ name }) => name === feature)?.maxVersionLevel ?? 0
}

const everyVersion: Step[] = [0, 1, 2].flatMap(version => [
  update('nothing', version, []),
  update('to where it is', version, [{ feature: FEATURE, maxVersionLevel: 2 }]),
  update('lower, as an upgrade', version, [{ feature: FEATURE, maxVersionLevel: 1 }]),
  update('too high', version, [{ feature: FEATURE, maxVersionLevel: 3 }]),
  update('below 0', version, [{ feature: FEATURE, maxVersionLevel: -1 }]),
  update('a feature that is none', version, [{ feature: 'no.feature', maxVersionLevel: 1 }]),
  update('a feature that is none to 0', version, [{ feature: 'no.feature', maxVersionLevel: 0 }]),
  update('without a name', version, [{ feature: '', maxVersionLevel: 1 }]),
  update('one that can be and one that cannot', version, [
    { feature: FEATURE, maxVersionLevel: 2 },
    { feature: 'no.feature', maxVersionLevel: 1 }
  ]),
  update('the same twice', version, [
    { feature: FEATURE, maxVersionLevel: 2 },
    { feature: FEATURE, maxVersionLevel: 2 }
  ])
])

const validated: Step[] = [1, 2].flatMap(version => [
  ...[0, 1, 2, 3, 4].map(upgradeType =>
    update(
      `to 1 by type ${upgradeType}, only to see`,
      version,
      [{ feature: FEATURE, maxVersionLevel: 1, upgradeType }],
      true
    )
  ),
  ...[2, 3].map(upgradeType =>
    update(
      `to 2 by type ${upgradeType}, only to see`,
      version,
      [{ feature: FEATURE, maxVersionLevel: 2, upgradeType }],
      true
    )
  ),
  update('too high by a downgrade', version, [{ feature: FEATURE, maxVersionLevel: 3, upgradeType: 2 }], true)
])

const moved: Step[] = [
  ...inForce(2),
  update('down in the old way, which is refused', 0, [{ feature: FEATURE, maxVersionLevel: 1, allowDowngrade: true }]),
  ...inForce(2),
  update('down safely', 1, [{ feature: FEATURE, maxVersionLevel: 1, upgradeType: 2 }]),
  ...inForce(1),
  update('up in the old way', 0, [{ feature: FEATURE, maxVersionLevel: 2 }]),
  ...inForce(2),
  update('down unsafely', 1, [{ feature: FEATURE, maxVersionLevel: 0, upgradeType: 3 }]),
  ...inForce(0),
  update('up from nothing as a downgrade', 1, [{ feature: FEATURE, maxVersionLevel: 1, upgradeType: 2 }]),
  update('to 0 again', 1, [{ feature: FEATURE, maxVersionLevel: 0 }]),
  ...raised(2)
]

/** At level 0 the protocol of KIP-848 is off; `group-version.ts` has the effects. */
const GROUPS = 'group.version'

const groups: Step[] = [
  ...inForce(1, GROUPS),
  ...[0, 1, 2].flatMap(version => [
    update('groups to where they are', version, [{ feature: GROUPS, maxVersionLevel: 1 }]),
    update('groups too high', version, [{ feature: GROUPS, maxVersionLevel: 2 }]),
    update('groups lower, as an upgrade', version, [{ feature: GROUPS, maxVersionLevel: 0 }])
  ]),
  update('groups and transactions', 2, [
    { feature: GROUPS, maxVersionLevel: 0, upgradeType: 2 },
    { feature: FEATURE, maxVersionLevel: 3 }
  ]),
  ...inForce(1, GROUPS),
  ...lowered(0, GROUPS),
  update('groups back as a downgrade', 2, [{ feature: GROUPS, maxVersionLevel: 1, upgradeType: 3 }]),
  ...raised(1, GROUPS)
]

export const updateFeatures: Step[] = [...inForce(2), ...everyVersion, ...validated, ...moved, ...groups]
