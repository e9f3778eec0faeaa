/**
 * The first byte of every message of protocol 3.0 and 3.2, by direction. The two directions share
 * letters with different meanings (`D` is Describe one way and DataRow the other), so there are two
 * tables and no common one: a code without its direction means nothing.
 *
 * Names are Postgres's own (`src/include/libpq/protocol.h` and the documentation's chapter
 * "Message Formats"), so that a reader can go from one to the other.
 */
export const Frontend = {
  /** F */ FunctionCall: 0x46,
  /** Q */ Query: 0x51,
  /** P */ Parse: 0x50,
  /** B */ Bind: 0x42,
  /** E */ Execute: 0x45,
  /** D */ Describe: 0x44,
  /** C */ Close: 0x43,
  /** S */ Sync: 0x53,
  /** H */ Flush: 0x48,
  /** d */ CopyData: 0x64,
  /** c */ CopyDone: 0x63,
  /** f */ CopyFail: 0x66,
  /** p: PasswordMessage, SASLInitialResponse, SASLResponse or GSSResponse; the context tells. */
  Password: 0x70,
  /** X */ Terminate: 0x58,
} as const;

export const Backend = {
  /** R: the whole Authentication family; the first Int32 of the body says which. */
  Authentication: 0x52,
  /** K */ BackendKeyData: 0x4b,
  /** S */ ParameterStatus: 0x53,
  /** Z */ ReadyForQuery: 0x5a,
  /** T */ RowDescription: 0x54,
  /** D */ DataRow: 0x44,
  /** C */ CommandComplete: 0x43,
  /** I */ EmptyQueryResponse: 0x49,
  /** E */ ErrorResponse: 0x45,
  /** N */ NoticeResponse: 0x4e,
  /** A */ NotificationResponse: 0x41,
  /** 1 */ ParseComplete: 0x31,
  /** 2 */ BindComplete: 0x32,
  /** 3 */ CloseComplete: 0x33,
  /** n */ NoData: 0x6e,
  /** t */ ParameterDescription: 0x74,
  /** s */ PortalSuspended: 0x73,
  /** G */ CopyInResponse: 0x47,
  /** H */ CopyOutResponse: 0x48,
  /** W */ CopyBothResponse: 0x57,
  /** d */ CopyData: 0x64,
  /** c */ CopyDone: 0x63,
  /** V */ FunctionCallResponse: 0x56,
  /** v */ NegotiateProtocolVersion: 0x76,
} as const;

export type FrontendCode = (typeof Frontend)[keyof typeof Frontend];
export type BackendCode = (typeof Backend)[keyof typeof Backend];

/** Whose bytes they are: `F` is what a client sends, `B` what a server sends (as in PQtrace). */
export type Direction = 'F' | 'B';

/** What ReadyForQuery carries: idle, in a transaction, in a failed transaction. */
export const TransactionStatus = {
  /** I */ Idle: 0x49,
  /** T */ Transaction: 0x54,
  /** E */ Failed: 0x45,
} as const;
export type TransactionStatus = (typeof TransactionStatus)[keyof typeof TransactionStatus];

const frontendNames = nameTable(Frontend);
const backendNames = nameTable(Backend);

/** The message's name for people, or `Unknown(0x..)`. Not for decisions, not for the hot path. */
export function codeName(direction: Direction, code: number): string {
  const names = direction === 'F' ? frontendNames : backendNames;
  return names[code] ?? `Unknown(0x${(code & 0xff).toString(16).padStart(2, '0')})`;
}

/** Whether the protocol has a message of this code in this direction at all. */
export function isKnownCode(direction: Direction, code: number): boolean {
  return (direction === 'F' ? frontendNames : backendNames)[code] !== undefined;
}

function nameTable(codes: Readonly<Record<string, number>>): readonly (string | undefined)[] {
  const names = new Array<string | undefined>(256).fill(undefined);
  for (const [name, code] of Object.entries(codes)) names[code] = name;
  return names;
}
