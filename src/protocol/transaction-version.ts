/**
 * Levels of the feature `transaction.version`. A client's level follows from the version of its requests, and may be above
 * or below the finalized level.
 */

/** The producer's epoch changes with InitProducerId only. */
export const TRANSACTIONS_V0 = 0
/** Transactions V2 (KIP-890): the end of every transaction bumps the producer's epoch. */
export const TRANSACTIONS_V2 = 2
