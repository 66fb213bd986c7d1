/** The records of __transaction_state. */
import { txnKey, txnValue } from '../txn/records.ts'
import { coordinatorDecoder, recordType } from './coordinator-decoder.ts'

/** The state of a transactional id. */
export const txnDecoder = coordinatorDecoder(new Map([[0, recordType(txnKey, txnValue, 1, 1)]]))
