// A data directory for each test, and the broker that serves it. Both are removed after the test.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { type Reign, type Served, start } from './reign.ts'

const KAFKA = 'Kafka 4.3.1'
const OURS = 'minikafka'

/** The brokers in their order, and how each ends. */
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

  /** Prints the warnings of the broker after a failed test. */
  tellWarnings(): void {
    console.error(this.served?.warnings.join('\n'))
  }
}

/** Creates a directory for each test of the file. */
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
