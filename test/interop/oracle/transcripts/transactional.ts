// A transactional producer for transcripts. The producer id and epoch of a response are those of its next request,
// unless a step says otherwise. Kafka writes markers after its response, so `over` waits for the end of a transaction.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import type { Session } from '../session.ts'
import { arrange, type Call, call, type Step } from '../transcript.ts'
import { bytes } from './batches.ts'
import { request } from './producing.ts'

const { AddOffsetsToTxn, AddPartitionsToTxn, DescribeTransactions, EndTxn, FindCoordinator, InitProducerId, Produce } =
  APIS

/** Partitions by topic. */
export type Places = Readonly<Record<string, readonly number[]>>

/** Identity fields of a request that differ from the producer's state. */
export interface Claim {
  readonly id?: bigint
  readonly epoch?: number
  /** Added to the epoch of the producer. */
  readonly later?: number
}

interface Versioned extends Claim {
  readonly version?: number
}

interface Initialising extends Versioned {
  readonly timeoutMs?: number
  /** Sends the current producer id and epoch (KIP-360). */
  readonly resumes?: boolean
}

interface Writing extends Versioned {
  readonly partition?: number
  readonly sequence?: number
  readonly values?: readonly string[]
  readonly acks?: number
  /** A non-transactional batch of the same producer. */
  readonly plain?: boolean
}

interface Identity {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** The producer with that transactional id. */
export class Transactional {
  readonly id: string

  constructor(id: string) {
    this.id = id
  }

  /** Waits for its coordinator. */
  found(): Step {
    return arrange(`${this.id} has its coordinator`, async session => {
      const request = { keyType: 1, coordinatorKeys: [this.id] }
      await session.requestUntil(FindCoordinator, 4, request, answer => answer.coordinators[0]?.errorCode === 'NONE')
      const listed = { transactionalIds: [this.id] }
      const ready = ['NONE', 'TRANSACTIONAL_ID_NOT_FOUND']
      await session.requestUntil(DescribeTransactions, 0, listed, answer =>
        ready.includes(answer.transactionStates[0]?.errorCode ?? '')
      )
      // Kafka's coordinator may respond before it has a block of producer ids.
      const plain = { transactionalId: null, transactionTimeoutMs: 1000 }
      await session.requestUntil(InitProducerId, 4, plain, ({ errorCode }) => errorCode === 'NONE')
    })
  }

  init(name: string, { version = 5, timeoutMs = 60_000, resumes = false, ...claim }: Initialising = {}): Step {
    const claims = resumes || claim.id !== undefined || claim.epoch !== undefined || claim.later !== undefined
    const step = call(name, InitProducerId, version, session => ({
      transactionalId: this.id,
      transactionTimeoutMs: timeoutMs,
      ...(claims && this.claim(session, claim))
    }))
    return this.#learning(step)
  }

  add(name: string, places: Places, { version = 3, ...claim }: Versioned = {}): Call<typeof AddPartitionsToTxn> {
    return call(name, AddPartitionsToTxn, version, session => ({
      v3AndBelowTransactionalId: this.id,
      ...(({ producerId, producerEpoch }) => ({
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch
      }))(this.claim(session, claim)),
      v3AndBelowTopics: topicsOf(places)
    }))
  }

  /** AddPartitionsToTxn for several producers, as brokers send it. */
  batched(session: Session, places: Places, { verifyOnly = false, ...claim }: Claim & { verifyOnly?: boolean } = {}) {
    return { transactionalId: this.id, ...this.claim(session, claim), verifyOnly, topics: topicsOf(places) }
  }

  addOffsets(name: string, groupId: string, { version = 4, ...claim }: Versioned = {}): Step {
    return call(name, AddOffsetsToTxn, version, session => ({
      transactionalId: this.id,
      ...this.claim(session, claim),
      groupId
    }))
  }

  /** Writes a batch. */
  write(name: string, topic: string, { version = 11, partition = 0, acks = -1, ...how }: Writing = {}): Step {
    return call(name, Produce, version, session => {
      const partitionData = [{ index: partition, records: this.batch(session, how) }]
      const named = version < 13 ? { name: topic } : { topicId: `${session.recall(`id of ${topic}`)}` }
      return request([{ ...named, partitionData }], { acks, transactionalId: this.id })
    })
  }

  batch(session: Session, { sequence = 0, values = ['a'], plain = false, ...claim }: Writing = {}): Buffer {
    return bytes(values, { isTransactional: !plain, baseSequence: sequence, ...this.claim(session, claim) })
  }

  commit(name: string, how: Versioned = {}): Step[] {
    return this.#end(name, true, how)
  }

  abort(name: string, how: Versioned = {}): Step[] {
    return this.#end(name, false, how)
  }

  /** Waits until the transaction is complete. */
  over(): Step {
    const request = { transactionalIds: [this.id] }
    return arrange(`${this.id} has ended what it ends`, session =>
      session.requestUntil(
        DescribeTransactions,
        0,
        request,
        answer => !/^Prepare/.test(answer.transactionStates[0]?.transactionState ?? '')
      )
    )
  }

  /** The state of the transaction at the coordinator. */
  described(name = `${this.id} as it is known`): Call<typeof DescribeTransactions> {
    return call(name, DescribeTransactions, 0, { transactionalIds: [this.id] })
  }

  /** The identity fields of a request. */
  claim(session: Session, { id, epoch, later = 0 }: Claim = {}): Identity {
    const { producerId, producerEpoch } = session.recall(`producer ${this.id}`) as Identity
    return { producerId: id ?? producerId, producerEpoch: epoch ?? producerEpoch + later }
  }

  #end(name: string, committed: boolean, { version = 4, ...claim }: Versioned): Step[] {
    const step = call(name, EndTxn, version, session => ({
      transactionalId: this.id,
      ...this.claim(session, claim),
      committed
    }))
    return [version < 5 ? step : this.#learning(step), this.over()]
  }

  #learning(step: Call<typeof InitProducerId> | Call<typeof EndTxn>): Step {
    return {
      ...step,
      play: async session => {
        const outcome = await step.play(session)
        const { errorCode, producerId, producerEpoch } = step.answerTo(session)
        if (errorCode === 'NONE') session.remember(`producer ${this.id}`, { producerId, producerEpoch })
        return outcome
      }
    }
  }
}

function topicsOf(places: Places) {
  return Object.entries(places).map(([name, partitions]) => ({ name, partitions }))
}
