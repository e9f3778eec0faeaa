import { TransactionStatus } from '../codes.ts';
import { Cursor } from '../cursor.ts';

/** ReadyForQuery (B): the server's transaction status. To send one, see `constants.ts`. */
export function decodeReadyForQuery(buffer: Buffer, start: number, end: number): TransactionStatus {
  const cursor = new Cursor('ReadyForQuery', buffer, start, end);
  const status = cursor.int8('transaction status');
  cursor.finish();
  switch (status) {
    case TransactionStatus.Idle:
    case TransactionStatus.Transaction:
    case TransactionStatus.Failed:
      return status;
    default:
      throw cursor.violation(
        `the transaction status is 0x${status.toString(16).padStart(2, '0')}, not I, T or E`,
      );
  }
}
