/**
 * Messages that are always the same bytes, built once. They are shared by every connection of the
 * process and handed straight to sockets: nobody may ever write into one. (A Buffer cannot be
 * frozen, so this is a promise; `test/unit/wire/constants.test.ts` checks the bytes.)
 */
import { Backend, Frontend, TransactionStatus } from './codes.ts';

function empty(code: number): Buffer {
  return exact([code, 0, 0, 0, 4]);
}

/** Outside Node's shared pool, so that a constant never keeps somebody's 8 KiB slab alive. */
function exact(bytes: readonly number[]): Buffer {
  const buffer = Buffer.allocUnsafeSlow(bytes.length);
  buffer.set(bytes);
  return buffer;
}

// What a client sends.
export const sync = empty(Frontend.Sync);
export const flush = empty(Frontend.Flush);
export const terminate = empty(Frontend.Terminate);
/** The same five bytes in both directions. */
export const copyDone = empty(Frontend.CopyDone);

// What a server sends.
export const parseComplete = empty(Backend.ParseComplete);
export const bindComplete = empty(Backend.BindComplete);
export const closeComplete = empty(Backend.CloseComplete);
export const noData = empty(Backend.NoData);
export const emptyQueryResponse = empty(Backend.EmptyQueryResponse);
export const portalSuspended = empty(Backend.PortalSuspended);
export const authenticationOk = exact([Backend.Authentication, 0, 0, 0, 8, 0, 0, 0, 0]);

export const readyForQueryIdle = ready(TransactionStatus.Idle);
export const readyForQueryTransaction = ready(TransactionStatus.Transaction);
export const readyForQueryFailed = ready(TransactionStatus.Failed);

function ready(status: number): Buffer {
  return exact([Backend.ReadyForQuery, 0, 0, 0, 5, status]);
}

/** The prebuilt ReadyForQuery for a status byte. */
export function readyForQuery(status: TransactionStatus): Buffer {
  switch (status) {
    case TransactionStatus.Idle:
      return readyForQueryIdle;
    case TransactionStatus.Transaction:
      return readyForQueryTransaction;
    case TransactionStatus.Failed:
      return readyForQueryFailed;
  }
}

/** The one-byte answers to SSLRequest and GSSENCRequest: not messages, no length. */
export const sslYes = exact([0x53]);
export const sslNo = exact([0x4e]);
