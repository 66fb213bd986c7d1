/** The records of __transaction_state. */
import { TXN_TYPE } from '../../txn/records.ts'
import { coordinatorDecoder } from './coordinator-decoder.ts'

/** The state of a transactional id. */
export const txnDecoder = coordinatorDecoder([TXN_TYPE])
