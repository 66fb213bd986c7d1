/**
 * Levels of the feature `transaction.version`. The version of a request determines the level of its client, which may be above or
 * below the finalized level.
 */

/** Only InitProducerId changes the producer epoch. */
export const TRANSACTIONS_V0 = 0
/** Transactions V2 (KIP-890): the end of every transaction bumps the producer epoch. */
export const TRANSACTIONS_V2 = 2
