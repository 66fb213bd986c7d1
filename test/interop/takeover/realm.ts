// A data directory of each test's own, and the broker that serves it at the moment. Both go with the test.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { type Reign, type Served, start } from './reign.ts'

const KAFKA = 'Kafka 4.3.1'
const OURS = 'minikafka'

/** Who follows whom. */
export const SUCCESSIONS: readonly { readonly brokers: readonly Reign['broker'][]; readonly ends: Reign['ends'] }[] = [
  { brokers: [OURS, KAFKA, OURS], ends: 'stopped' },
  { brokers: [OURS, KAFKA, OURS], ends: 'killed' },
  { brokers: [KAFKA, OURS, KAFKA], ends: 'stopped' },
  { brokers: [KAFKA, OURS, KAFKA], ends: 'killed' }
]

class Realm {
  folder = ''
  served: Served | undefined

  async begin(reign: Reign, port: number): Promise<Served> {
    this.served = await start(reign, this.folder, port)
    return this.served
  }

  async end({ ends }: Pick<Reign, 'ends'>): Promise<void> {
    await (ends === 'stopped' ? this.served?.stop() : this.served?.kill())
  }

  get dataDir(): string {
    return join(this.folder, 'data')
  }

  /** For the report of a test that failed. */
  tellWarnings(): void {
    console.error(this.served?.warnings.join('\n'))
  }
}

/** Made anew for each test of the file. */
export function freshRealm(): Realm {
  const realm = new Realm()
  beforeEach(async () => {
    realm.folder = await mkdtemp(join(tmpdir(), 'takeover-'))
  })
  afterEach(async () => {
    await realm.served?.kill()
    await rm(realm.folder, { recursive: true })
  })
  return realm
}
