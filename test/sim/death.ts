/**
 * Kills a scripted run at every one of its storage operations, one after the other. By chance of a seed the last write is
 * torn at nothing, at any byte or at its end, and a loss of power takes what it may: a failure names all that is needed to
 * see it again. MINIKAFKA_CRASH_ROUNDS tells how often each operation kills, each time with another seed; less than once
 * means some of the operations.
 */

import { type Random, seededRandom } from '../../src/runtime/random.ts'
import { MemoryStorage, type StorageFault, type StorageOperation } from '../../src/storage/memory-storage.ts'
import { StorageError } from '../../src/storage/storage.ts'

const ROUNDS = Number(process.env.MINIKAFKA_CRASH_ROUNDS ?? 0.05)

/** What ends a process: its own death, after which all that was written is there, or the machine's. */
export type Cause = 'process death' | 'power loss' | 'power loss without a journal of names'

/** A process, or several one after the other, on one disk, until the operation that kills. */
export class Life {
  /** The disk as the process sees it that runs now. */
  storage: MemoryStorage
  /** Operations that change something, so far. */
  operations = 0
  readonly random: Random
  readonly #lastOperation: number
  #killer: StorageOperation | undefined

  constructor(seed: number, lastOperation = Number.POSITIVE_INFINITY) {
    this.random = seededRandom(seed)
    this.#lastOperation = lastOperation
    this.storage = new MemoryStorage({ canLosePower: true, fault: operation => this.#faultOf(operation) })
  }

  /** The operation that killed. */
  get killer(): StorageOperation | undefined {
    return this.#killer
  }

  /** Nobody hears an answer of the dead: called before an answer counts. */
  mustGoOn(): void {
    if (this.#killer) throw died()
  }

  /** The process dies between two operations, and another one follows it. */
  kill(): void {
    this.storage = this.storage.die()
  }

  /** The disk as it is found after the end. */
  leave(cause: Cause): MemoryStorage {
    const options = { canLosePower: true }
    if (cause === 'process death') return this.storage.die(options)
    return this.storage.losePower(this.random, cause === 'power loss' ? 'the last' : 'any', options)
  }

  #faultOf(operation: StorageOperation): StorageFault | undefined {
    if (this.#killer) return { error: died() }
    if (operation.name === 'read' || ++this.operations < this.#lastOperation) return undefined
    this.#killer = operation
    const { bytes } = operation
    const writtenBytes = [0, this.random.below(bytes + 1), bytes][this.random.below(3)] ?? 0
    return { error: died(), writtenBytes }
  }
}

function died(): StorageError {
  return new StorageError('failed', 'the process is dead')
}

/** A run that can be repeated, and what must hold of what it leaves. */
export interface Rehearsal<Witness> {
  /** One that has seen nothing yet. */
  readonly witness: () => Witness
  /** Goes until it ends or the storage kills it, and tells the witness what has been promised. */
  readonly script: (life: Life, witness: Witness) => Promise<void>
  readonly check: (left: MemoryStorage, witness: Witness, random: Random) => Promise<void>
  /** How many of the usual rounds it goes through, where they take long. */
  readonly share?: number
}

/** Runs the script to its end, then again for each of its operations as the last. Returns how many those are. */
export async function dieEverywhere<W>(cause: Cause, rehearsal: Rehearsal<W>): Promise<number> {
  const whole = new Life(0)
  const witness = rehearsal.witness()
  await rehearsal.script(whole, witness)
  await rehearsal.check(whole.leave('process death'), witness, whole.random)
  const rounds = ROUNDS * (rehearsal.share ?? 1)
  for (let death = 0; death < whole.operations * rounds; death++) {
    const last = 1 + Math.floor(death / rounds)
    await dieAt(cause, rehearsal, last, death)
  }
  return whole.operations
}

async function dieAt<W>(cause: Cause, { witness, script, check }: Rehearsal<W>, last: number, seed: number) {
  const life = new Life(seed, last)
  const seen = witness()
  try {
    await script(life, seen)
  } catch (error) {
    if (!life.killer) throw error
  }
  try {
    await check(life.leave(cause), seen, life.random)
  } catch (error) {
    const at = `${life.killer?.name} of ${life.killer?.path} (operation ${last}, seed ${seed})`
    throw new Error(`after ${cause} at ${at}: ${error instanceof Error ? error.message : error}`, { cause: error })
  }
}
