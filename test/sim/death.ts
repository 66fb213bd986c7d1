/**
 * Crashes a scripted run at each of its storage operations, in turn. A seed decides if the last write is torn at its start, at
 * any byte or at its end, and which unsynced data a power failure loses. A failure prints all values that reproduce it.
 * MINIKAFKA_CRASH_ROUNDS is the number of crashes for each operation, each with another seed; a value below one selects some of
 * the operations.
 */

import { type Random, seededRandom } from '../../src/runtime/random.ts'
import { MemoryStorage, type StorageFault, type StorageOperation } from '../../src/storage/memory-storage.ts'
import { StorageError } from '../../src/storage/storage.ts'

const ROUNDS = Number(process.env.MINIKAFKA_CRASH_ROUNDS ?? 0.05)

/** The end of a process: its own death, which keeps all written data, or a power failure of the machine. */
export type Cause = 'process death' | 'power loss' | 'power loss without a journal of names'

/** One process, or several in sequence, on one disk, until the operation that crashes. */
export class Life {
  /** The disk of the running process. */
  storage: MemoryStorage
  /** The number of operations with an effect so far. */
  operations = 0
  readonly random: Random
  readonly #lastOperation: number
  #killer: StorageOperation | undefined

  constructor(seed: number, lastOperation = Number.POSITIVE_INFINITY) {
    this.random = seededRandom(seed)
    this.#lastOperation = lastOperation
    this.storage = new MemoryStorage({ canLosePower: true, fault: operation => this.#faultOf(operation) })
  }

  /** The operation that crashed. */
  get killer(): StorageOperation | undefined {
    return this.#killer
  }

  /** Called before a response counts: responses of a dead process are lost. */
  mustGoOn(): void {
    if (this.#killer) throw died()
  }

  /** The process dies between two operations, and another one follows. */
  kill(): void {
    this.storage = this.storage.die()
  }

  /** The disk after the end. */
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

/** A repeatable run, and the checks of the disk that it leaves. */
export interface Rehearsal<Witness> {
  /** A new witness without observations. */
  readonly witness: () => Witness
  /** Runs to its end or to the crash, and records acknowledged changes in the witness. */
  readonly script: (life: Life, witness: Witness) => Promise<void>
  readonly check: (left: MemoryStorage, witness: Witness, random: Random) => Promise<void>
  /** The share of the usual rounds, for long runs. */
  readonly share?: number
}

/** Runs the script to its end, then again with each of its operations as the last one. Returns the number of operations. */
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
