/** The bodies of the registry, for tests of all of them: each API at each version, request and response. */

import { type AnyApi, APIS } from '../../../src/protocol/messages/index.ts'
import type { Message } from '../../../src/protocol/wire/compile.ts'
import type { Decoded, Shape } from '../../../src/protocol/wire/schema.ts'
import { type Random, seededRandom } from '../../../src/runtime/random.ts'
import { generate } from './generate.ts'

/** One direction of an API at one version. */
export interface Body {
  readonly title: string
  readonly version: number
  readonly message: Message<Shape>
  /** The next random message, and the source of randomness for a test. */
  generate(): Decoded<Shape>
  readonly random: Random
}

/** Every API at every version that it serves. */
export const VERSIONS: readonly { name: string; api: AnyApi; version: number }[] = Object.values(APIS).flatMap(api => {
  const [first, last] = api.versions
  const versions = Array.from({ length: last - first + 1 }, (_, index) => first + index)
  return versions.map(version => ({ name: api.name, api: api as AnyApi, version }))
})

/** All bodies. Each has its own seed, so that a failure is reproducible when its test runs alone. */
export const BODIES: readonly Body[] = VERSIONS.flatMap(({ api, version }) =>
  (['request', 'response'] as const).map(direction => {
    const random = seededRandom(api.key * 1000 + version)
    return {
      title: `${api.name} ${direction} v${version}`,
      version,
      message: api[direction],
      generate: () => generate(api.shapes[direction], version, random),
      random
    }
  })
)
